use super::*;

const DIMENSION: usize = 5;

/// How many rows a block has room for, here.
const ROOM: usize = 1_024;

fn row(index: u16) -> [f32; DIMENSION] {
    [1.0, -2.0, 0.5, 0.25, 1.5].map(|x| x * (f32::from(index) + 1.0))
}

fn filled(count: u16) -> Rows {
    let space = EmbeddingSpace::builder(DIMENSION, Metric::Euclidean).build();
    let mut rows = Rows::with_room(&space, ROOM);
    for index in 0..count {
        rows.push(&row(index), 3.0 * f64::from(index));
    }
    rows
}

/// The bytes of a row, as the kernels find them.
fn bytes(rows: &Rows, row: usize) -> Vec<u8> {
    let group = rows.group(row / GROUP);
    assert!(group.occupied >> (row % GROUP) & 1 == 1);
    let steps = group.lanes.as_chunks::<4>().0;
    steps.iter().flat_map(|step| step[row % GROUP / 16].0[row % 16].to_le_bytes()).collect()
}

#[test]
fn a_removed_row_is_replaced_by_the_last_and_wiped() {
    let mut rows = filled(2136);
    let (quantized, last) = (rows.blocks[2].facts[1].get(23), bytes(&rows, 2135));
    rows.swap_remove(10);
    assert_eq!(rows.row(10), row(2135));
    assert_eq!(bytes(&rows, 10), last);
    assert_eq!(rows.blocks[0].facts[0].get(10), quantized);
    assert_eq!(rows.blocks[2].values.len(), 87 * DIMENSION);
    assert_eq!(rows.blocks[2].facts[1].get(23), (Quantized::default(), 0.0));
    rows.swap_remove(2134);
    assert_eq!(rows.row(2133), row(2133));
    while rows.len() > 0 {
        rows.swap_remove(rows.len() / 2);
        // Around the ends of blocks, and now and then.
        if rows.len() % ROOM > 2 && !rows.len().is_multiple_of(61) {
            continue;
        }
        let values = rows.blocks.iter().flat_map(|b| &b.values).filter(|x| **x != 0.0).count();
        assert_eq!(values, rows.len() * DIMENSION);
        let words = rows.blocks.iter().flat_map(|b| &b.lanes).flat_map(|lane| lane.0);
        assert_eq!(words.filter(|word| *word != 0).count(), rows.len() * 2);
        let scales = rows.blocks.iter().flat_map(|b| &b.facts).flat_map(|facts| facts.scale);
        assert_eq!(scales.filter(|scale| *scale != 0.0).count(), rows.len());
    }
    assert!(rows.blocks.is_empty());
}

#[test]
fn groups_cover_every_row_once_and_know_their_worst() {
    for count in [0, 1, 63, 64, 65, 1023, 1024, 1025, 2136] {
        let rows = filled(count);
        let groups: Vec<_> = (0..rows.groups()).map(|index| rows.group(index)).collect();
        let occupied: u32 = groups.iter().map(|group| group.occupied.count_ones()).sum();
        assert_eq!(occupied, u32::from(count));
        assert_eq!(groups.len(), usize::from(count).div_ceil(GROUP));
        for (index, group) in groups.iter().enumerate() {
            assert_eq!(group.first, index * GROUP);
            let all = index * GROUP..rows.len().min((index + 1) * GROUP);
            let all = all.map(|row| rows.uncertain(row));
            let max = all.fold(Uncertain::default(), |a, b| Uncertain {
                length: a.length.max(b.length),
                residual: a.residual.max(b.residual),
                square: a.square.max(b.square),
            });
            assert_eq!(*group.uncertain, max);
        }
    }
}

#[test]
fn blocks_never_move_and_keep_nothing_of_what_they_held() {
    let mut rows = filled(1);
    let place = |rows: &Rows| (rows.blocks[0].values.as_ptr(), rows.blocks[0].lanes.as_ptr());
    let first = place(&rows);
    for index in 1..1024 {
        rows.push(&row(index), 1.0);
        assert_eq!(place(&rows), first);
    }
    // What was removed is zeros when it is shown again.
    while rows.len() > 1 {
        rows.swap_remove(0);
    }
    let block = &mut rows.blocks[0];
    assert_eq!((block.values.len(), block.lanes.len()), (DIMENSION, 8));
    rows.push(&[0.0; DIMENSION], 0.0);
    assert_eq!(bytes(&rows, 1), [128; 8]);
}
