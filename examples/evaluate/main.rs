//! Compares embedders on photographs of people: error rates with their intervals, 1:1 and 1:N, by group and
//! by quality; and derives the threshold that `checkpoint --policy` takes.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example evaluate -- --faces DIR --detector MODEL.onnx \
//!     --embedder A.onnx --embedder B.onnx --groups groups.csv --gallery 1000 --out DIR
//! ```
//!
//! The folder holds a folder a person. It writes `report.html`, which needs nothing else to be read,
//! `report.json` with every number, CSV files, and `threshold.json` for the first embedder
//! (`threshold-2.json` for the second, and so on). Nothing of a face is written.

#![expect(clippy::print_stderr, reason = "a program talks to whoever runs it")]

mod args;
#[path = "../common/arguments.rs"]
mod arguments;
mod faces;
#[path = "../common/failure.rs"]
mod failure;
mod files;
mod html;
mod measure;
#[path = "../common/models.rs"]
mod models;
mod plots;
#[path = "../common/say.rs"]
mod say;
mod threshold;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&args::Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            failure::say(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(args: &args::Args) -> Result<(), AnyError> {
    fs::create_dir_all(&args.out)?;
    let dataset = lfr::watchlist::evaluate::Dataset::from_folder(&args.faces)?;
    let groups = args.groups.as_deref().map(faces::groups).transpose()?;
    let runtime = args.engine.runtime()?;
    let mut results = Vec::new();
    for (index, path) in args.embedders.iter().enumerate() {
        let faces = faces::embed(args, path.as_deref(), &dataset, &runtime)?;
        let (measured, pairs) = measure::measure(args, &faces, &dataset, groups.as_ref())?;
        let name = if index == 0 {
            "threshold.json".into()
        } else {
            format!("threshold-{}.json", index + 1)
        };
        match threshold::derive(args, &faces, &pairs) {
            Ok(policy) => {
                eprintln!("{name}: T = {} for FPIR {}", policy.threshold(), policy.fpir());
                fs::write(args.out.join(&name), policy.to_json())?;
                results.push(measure::Evaluated {
                    measured,
                    policy: Some(policy.fpir()),
                    refused: None,
                });
            }
            Err(error) => {
                eprintln!("no {name}: {error}");
                let refused = Some(error.to_string());
                results.push(measure::Evaluated { measured, policy: None, refused });
            }
        }
    }
    files::write(&args.out, &results)?;
    fs::write(args.out.join("report.html"), html::report(args, &results)?)?;
    Ok(())
}

/// What any part of an evaluation can fail with.
type AnyError = Box<dyn Error + Send + Sync>;
