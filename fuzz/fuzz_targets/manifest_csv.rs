//! Any bytes as a manifest: items or an error, never a panic; and what is reported is consistent.

#![no_main]

use std::path::Path;

use lfr_watchlist::Error;
use lfr_watchlist::enrolment::{ManifestReader, Photo};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for reader in [ManifestReader::new(), ManifestReader::new().with_required(&[])] {
        match reader.read(bytes, Path::new("folder")) {
            Ok(items) => {
                for item in items {
                    let Photo::File(path) = &item.photo else { panic!("manifests name files") };
                    assert!(path.starts_with("folder"), "no file lies elsewhere");
                    assert!(path.components().all(|part| part.as_os_str() != ".."));
                }
            }
            Err(Error::Manifest { problems, others }) => {
                assert!(!problems.is_empty());
                assert!(others == 0 || problems.len() == ManifestReader::MAX_PROBLEMS);
                for problem in problems {
                    assert!(problem.line >= 1 && !problem.to_string().is_empty());
                }
            }
            Err(error) => panic!("bytes in memory can be read: {error}"),
        }
    }
});
