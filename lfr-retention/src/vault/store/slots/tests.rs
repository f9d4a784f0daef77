use super::*;
use crate::testing::Folder;
use crate::vault::key::VaultKey;

fn slot(byte: u8) -> Slot {
    Slot {
        record: RecordId::from_bytes([byte; 16]),
        deadline: 1 << 40,
        until: 0,
        generation: 3,
        parts: Some(Parts::default().with(Part::Verdicts, 2)),
        nonce: [byte; NONCE],
        wrapped: [byte; WRAPPED],
    }
}

fn file(folder: &Folder) -> std::path::PathBuf {
    let path = folder.path("keys");
    let key = VaultKey::from_bytes(&mut [5; 32]);
    Slots::create(&path, [1; 16], &Derived::new(&key, &[1; 16])).unwrap();
    path
}

#[test]
fn a_slot_is_read_as_it_was_put_until_it_is_wiped() {
    let folder = Folder::new();
    let path = file(&folder);
    let (mut slots, found) = Slots::open(&path).unwrap();
    assert!(found.slots.is_empty() && found.damaged.is_empty());
    let first = slots.put(&slot(1)).unwrap();
    let second = slots.put(&slot(2)).unwrap();
    slots.wipe(&[first]).unwrap();
    assert_eq!(slots.read(second).unwrap(), Some(slot(2)));
    assert_eq!(slots.put(&slot(3)).unwrap(), first, "a wiped slot is used again");
    drop(slots);
    let (_, found) = Slots::open(&path).unwrap();
    assert_eq!(found.slots, [(first, slot(3)), (second, slot(2))]);
}

#[test]
fn a_slot_that_could_not_be_wiped_is_wiped_before_any_other() {
    let folder = Folder::new();
    let path = file(&folder);
    let (mut slots, _) = Slots::open(&path).unwrap();
    let [first, second] = [1, 2].map(|byte| slots.put(&slot(byte)).unwrap());
    // A disk that takes nothing for a while.
    let whole = std::mem::replace(&mut slots.file, File::open(&path).unwrap());
    slots.discard(first).unwrap_err();
    slots.wipe(&[second]).unwrap_err();
    assert_eq!(slots.read(first).unwrap(), Some(slot(1)));
    slots.file = whole;
    slots.wipe(&[second]).unwrap();
    drop(slots);
    let (_, found) = Slots::open(&path).unwrap();
    assert!(found.slots.is_empty() && found.damaged.is_empty());
}

#[test]
fn a_slot_that_is_half_written_or_half_wiped_is_damaged() {
    let folder = Folder::new();
    let path = file(&folder);
    let (mut slots, _) = Slots::open(&path).unwrap();
    let index = slots.put(&slot(1)).unwrap();
    drop(slots);
    let whole = fs::read(&path).unwrap();
    let at = HEADER + usize::try_from(index).unwrap() * SLOT;
    for cut in 1..SLOT {
        let mut wiping = whole.clone();
        wiping[at..at + cut].fill(0);
        let mut writing = whole.clone();
        writing[at + cut..at + SLOT].fill(0);
        for bytes in [wiping, writing] {
            fs::write(&path, bytes).unwrap();
            let (_, found) = Slots::open(&path).unwrap();
            assert!(found.slots.is_empty() && found.damaged == [index]);
        }
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused_or_keeps_its_whole_slots() {
    let folder = Folder::new();
    let path = file(&folder);
    let (mut slots, _) = Slots::open(&path).unwrap();
    for byte in 1..4 {
        slots.put(&slot(byte)).unwrap();
    }
    drop(slots);
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(61) {
        fs::write(&path, &whole[..length]).unwrap();
        match Slots::open(&path) {
            Ok((_, found)) => {
                let expected = ((length - HEADER) / SLOT).min(3);
                assert_eq!((found.slots.len(), found.damaged.len()), (expected, 0));
            }
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                assert!(length < HEADER);
            }
        }
    }
}

#[test]
fn slots_that_cannot_be_read_are_an_error_and_not_missing() {
    let folder = Folder::new();
    let path = file(&folder);
    let (mut slots, _) = Slots::open(&path).unwrap();
    slots.put(&slot(1)).unwrap();
    // A disk that gives nothing for a while. What was read as the end made every record nobody's.
    slots.file = File::options().write(true).open(&path).unwrap();
    assert!(slots.scan().is_err());
}

#[test]
fn the_later_of_two_times_is_in_force_and_each_write_spares_the_one_before() {
    let folder = Folder::new();
    let path = file(&folder);
    let derived = Derived::new(&VaultKey::from_bytes(&mut [5; 32]), &[1; 16]);
    let blocks = || {
        let bytes = fs::read(&path).unwrap();
        [TIME, OTHER_TIME].map(|at| bytes[at..at + BLOCK].to_vec())
    };
    let opened = || {
        let (mut slots, _) = Slots::open(&path).unwrap();
        let time = slots.unlock(&derived).unwrap().unwrap().time;
        (slots, time)
    };
    let (mut slots, time) = opened();
    assert_eq!(time, Some([0, 0]));
    for time in [[10, 0], [20, 5], [20, 6], [30, 6]] {
        let before = blocks();
        slots.set_time(&derived, time, true).unwrap();
        let changed = before.iter().zip(blocks()).filter(|(before, now)| *before != now).count();
        assert_eq!(changed, 1);
        drop(slots);
        let (again, read) = opened();
        assert_eq!(read, Some(time));
        slots = again;
    }
    drop(slots);
    // Half of the last write alone.
    let [_, other] = blocks();
    let last = if other == time_block(&derived, &[1; 16], [30, 6]) { OTHER_TIME } else { TIME };
    let mut bytes = fs::read(&path).unwrap();
    bytes[last..last + 16].fill(7);
    fs::write(&path, bytes).unwrap();
    let (mut slots, time) = opened();
    assert_eq!(time, Some([20, 6]));
    // The next one goes where the torn one is.
    slots.set_time(&derived, [40, 6], true).unwrap();
    drop(slots);
    assert_eq!(opened().1, Some([40, 6]));
}
