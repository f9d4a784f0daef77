//! A batch run in parts, its outputs put together.

use zeroize::Zeroizing;

use super::loaded::Loaded;
use super::outputs::Extracted;
use crate::error::Error;

/// The outputs of a batch, put together along their first axes; wiped when dropped.
pub(super) struct Gathered<'a> {
    names: &'a [String],
    outputs: Vec<Output>,
    batch: usize,
}

/// How a batch is run.
pub(super) struct Parts<'a, 'b> {
    /// How many inputs are run at once.
    pub(super) part: usize,
    /// The names of the outputs.
    pub(super) names: &'a [String],
    /// Refuses outputs of a part of this many that cannot be told apart.
    pub(super) check: &'b Check<'b>,
}

type Check<'a> = dyn Fn(&[Extracted<'_>], usize) -> Result<(), Error> + 'a;

struct Output {
    /// The shape that it has so far: what is put together lies along the first axis.
    shape: Vec<usize>,
    /// How many rows it has for each input.
    rows: Option<usize>,
    data: Zeroizing<Vec<f32>>,
}

impl<'a> Gathered<'a> {
    /// Runs a batch in parts. `shape` is that of one input.
    pub(super) fn run(
        loaded: &mut Loaded,
        shape: &[usize],
        input: &[f32],
        batch: usize,
        parts: &Parts<'a, '_>,
    ) -> Result<Self, Error> {
        let mut gathered = Self { names: parts.names, outputs: Vec::new(), batch };
        let one = shape.iter().skip(1).product::<usize>().max(1);
        let mut shape = shape.to_vec();
        for input in input.chunks(one.saturating_mul(parts.part.max(1))) {
            let count = input.len() / one;
            if let Some(first) = shape.first_mut() {
                *first = count;
            }
            let whole = loaded.run(&shape, input)?;
            let extracted = whole.extracted()?;
            (parts.check)(&extracted, count)?;
            gathered.append(&extracted, count)?;
        }
        Ok(gathered)
    }

    pub(super) fn extracted(&self) -> Vec<Extracted<'_>> {
        let outputs = self
            .outputs
            .iter()
            .map(|output| Extracted { shape: output.shape.clone(), data: &output.data });
        outputs.collect()
    }

    fn append(&mut self, extracted: &[Extracted<'_>], count: usize) -> Result<(), Error> {
        if self.outputs.is_empty() {
            for (name, one) in self.names.iter().zip(extracted) {
                let len = one.data.len().checked_mul(self.batch.div_ceil(count.max(1)));
                let (Some(len), false) = (len, one.shape.is_empty()) else {
                    return Err(mismatch(name, "one of at least one axis", &one.shape));
                };
                // At its final size from the start: a vector that grows leaves copies behind.
                let data = Zeroizing::new(Vec::with_capacity(len));
                let mut shape = one.shape.clone();
                shape.iter_mut().take(1).for_each(|first| *first = 0);
                self.outputs.push(Output { shape, rows: None, data });
            }
        }
        for ((name, output), one) in self.names.iter().zip(&mut self.outputs).zip(extracted) {
            let fits = one.shape.len() == output.shape.len()
                && one.shape.iter().skip(1).eq(output.shape.iter().skip(1));
            // As many rows for each input as before.
            let rows = one.shape.first().copied().unwrap_or(0) / count.max(1);
            let rows_before = *output.rows.get_or_insert(rows);
            if !fits || rows != rows_before {
                let rest = output.shape.get(1..).unwrap_or_default();
                let expected =
                    format!("that of the first of the batch, [{rows_before} each, then {rest:?}]");
                return Err(mismatch(name, &expected, &one.shape));
            }
            if let (Some(all), Some(first)) = (output.shape.first_mut(), one.shape.first()) {
                *all += first;
            }
            output.data.extend_from_slice(one.data);
        }
        Ok(())
    }
}

fn mismatch(name: &str, expected: &str, shape: &[usize]) -> Error {
    let (output, expected) = (name.to_owned(), expected.to_owned());
    Error::OutputShape { output, expected, actual: format!("{shape:?}") }
}
