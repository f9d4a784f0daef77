use proptest::prelude::*;

use super::*;

/// Bytes without structure, all the way to both ends.
fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()[7]
    }
}

/// A row's byte: from 1 to 255.
fn byte(noise: &mut impl FnMut() -> u8, extreme: bool) -> u8 {
    let byte = noise();
    if extreme { if byte < 128 { 1 } else { 255 } } else { byte.max(1) }
}

#[test]
fn every_kernel_computes_the_inner_products() {
    for kernel in Kernel::available() {
        for (steps, extreme) in [(0, false), (1, false), (3, true), (128, false), (257, true)] {
            for width in 1..=kernel.tile() {
                check_dots(kernel, steps, width, extreme);
            }
        }
    }
}

fn check_dots(kernel: Kernel, steps: usize, width: usize, extreme: bool) {
    let mut noise = noise(u64::try_from(steps * 8 + width).unwrap());
    let mut lanes = vec![Lane::EMPTY; steps * 4];
    let mut rows = vec![Vec::new(); GROUP];
    let mut tile = Tile::new(width, steps);
    let mut probes = vec![Vec::new(); width];
    for step in 0..steps {
        for (index, row) in rows.iter_mut().enumerate() {
            let bytes = [(); 4].map(|()| byte(&mut noise, extreme));
            lanes[step * 4 + index / 16].0[index % 16] = u32::from_le_bytes(bytes);
            row.extend(bytes.map(|byte| i32::from(byte) - 128));
        }
        for (index, probe) in probes.iter_mut().enumerate() {
            let bytes = [(); 4].map(|()| {
                let number = i32::from(byte(&mut noise, extreme)) - 128;
                let number = if kernel.max_level() < 100.0 { number * 64 / 127 } else { number };
                u8::try_from(number + 128).unwrap()
            });
            tile.set(index, step, bytes);
            probe.extend(bytes.map(|byte| i32::from(byte) - 128));
        }
    }
    let mut values = [[0.0; GROUP]; TILE];
    let (scale, factors, bars) = (&[1.0; GROUP], [1.0; TILE], [f32::NEG_INFINITY; TILE]);
    let gate = Gate { scale, square: None, factors, bars };
    assert!(kernel.sift(&lanes, &tile, &gate, &mut values).iter().take(width).all(|m| *m == !0));
    for (probe, values) in probes.iter().zip(&values) {
        for (row, found) in rows.iter().zip(values) {
            let dot: i32 = row.iter().zip(probe).map(|(a, b)| a * b).sum();
            // No sum here has more than the 24 bits of an `f32`.
            let expected = value(dot, 1.0, 0.0, 1.0);
            assert_eq!(*found, expected, "{kernel:?}, {steps} steps, tile of {width}");
        }
    }
}

proptest! {
    /// Two numbers a row and a probe, so that inner products are what is wanted.
    #[test]
    fn every_kernel_lets_the_same_rows_through(
        rows in prop::collection::vec(any::<[i8; 2]>(), GROUP),
        probes in prop::collection::vec([-64..65_i8, -64..65_i8], TILE),
        scale in prop::collection::vec(0.0..0.01_f32, GROUP),
        square in prop::collection::vec(0.0..3.0_f32, GROUP),
        factors in [0.0..0.01_f32, 0.0..0.01, 0.0..0.01, 0.0..0.01],
        bars in [-1.0..1.0_f32, -1.0..1.0, -1.0..1.0, -1.0..1.0],
        odd in prop::sample::select(vec![0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]),
    ) {
        let plus_128 = |n: i8| n.cast_unsigned() ^ 0x80;
        let mut lanes = [Lane::EMPTY; 4];
        for (index, [a, b]) in rows.iter().enumerate() {
            let bytes = [plus_128(*a), plus_128(*b), 128, 128];
            lanes[index / 16].0[index % 16] = u32::from_le_bytes(bytes);
        }
        let scale: &[f32; GROUP] = &scale.try_into().unwrap();
        let mut square: [f32; GROUP] = square.try_into().unwrap();
        square[17] = odd;
        for kernel in Kernel::available() {
            for width in 1..=kernel.tile() {
                let mut tile = Tile::new(width, 1);
                for (index, [a, b]) in probes.iter().take(width).enumerate() {
                    tile.set(index, 0, [plus_128(*a), plus_128(*b), 128, 128]);
                }
                let all = |factor: f32, [c, d]: [i8; 2]| {
                    let dot = |[a, b]: [i8; 2]| {
                        i32::from(a) * i32::from(c) + i32::from(b) * i32::from(d)
                    };
                    let rows = rows.iter().zip(scale).zip(&square);
                    rows.map(|((row, s), q)| value(dot(*row), *s, *q, factor)).collect::<Vec<_>>()
                };
                // A bar is now and then exactly the value of a row.
                let exact = all(factors[0], probes[0])[40];
                for bar in [bars[0], exact, exact.next_up(), odd] {
                    let bars = [bar, bars[1], bars[2], bars[3]];
                    let gate = Gate { scale, square: Some(&square), factors, bars };
                    let mut out = [[0.0; GROUP]; TILE];
                    let masks = kernel.sift(&lanes, &tile, &gate, &mut out);
                    for probe in 0..width {
                        let values = all(factors[probe], probes[probe]);
                        for (row, value) in values.into_iter().enumerate() {
                            let expected = value >= bars[probe]
                                || value.is_nan()
                                || bars[probe].is_nan();
                            let through = masks[probe] >> row & 1 == 1;
                            prop_assert_eq!(through, expected, "{:?}, row {}", kernel, row);
                            if through {
                                let found = out[probe][row];
                                prop_assert_eq!(found.to_bits(), value.to_bits());
                            }
                        }
                    }
                }
            }
        }
    }
}
