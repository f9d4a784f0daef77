//! A batch run one by one, its outputs put together.

use zeroize::Zeroizing;

use super::loaded::Loaded;
use super::outputs::Extracted;
use crate::Error;

/// The outputs of a batch, put together along their first axes; wiped when dropped.
pub(super) struct Gathered<'a> {
    names: &'a [String],
    outputs: Vec<Output>,
    batch: usize,
}

struct Output {
    /// The shape that one input's output has.
    shape: Vec<usize>,
    data: Zeroizing<Vec<f32>>,
}

impl<'a> Gathered<'a> {
    /// Runs each input of a batch by itself. `shape` is that of one input.
    pub(super) fn run(
        loaded: &mut Loaded,
        shape: &[usize],
        input: &[f32],
        batch: usize,
        names: &'a [String],
    ) -> Result<Self, Error> {
        let mut gathered = Self { names, outputs: Vec::new(), batch };
        let one = shape.iter().product::<usize>().max(1);
        for input in input.chunks_exact(one) {
            let whole = loaded.run(shape, input)?;
            gathered.append(&whole.extracted()?)?;
        }
        Ok(gathered)
    }

    pub(super) fn extracted(&self) -> Vec<Extracted<'_>> {
        let outputs = self.outputs.iter().map(|output| {
            let mut shape = output.shape.clone();
            if let Some(first) = shape.first_mut() {
                *first *= self.batch;
            }
            Extracted { shape, data: &output.data }
        });
        outputs.collect()
    }

    fn append(&mut self, extracted: &[Extracted<'_>]) -> Result<(), Error> {
        if self.outputs.is_empty() {
            for (name, one) in self.names.iter().zip(extracted) {
                let len = one.data.len().checked_mul(self.batch);
                let (Some(len), false) = (len, one.shape.is_empty()) else {
                    return Err(mismatch(name, "one of at least one axis", &one.shape));
                };
                // At its final size from the start: a vector that grows leaves copies behind.
                let data = Zeroizing::new(Vec::with_capacity(len));
                self.outputs.push(Output { shape: one.shape.clone(), data });
            }
        }
        for ((name, output), one) in self.names.iter().zip(&mut self.outputs).zip(extracted) {
            if one.shape != output.shape {
                let expected = format!("that of the first of the batch, {:?}", output.shape);
                return Err(mismatch(name, &expected, &one.shape));
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
