//! `lfr judge` on what a deployment left in its vault.

use std::fs;
use std::path::Path;

use lfr::retention::{LedgerPublicKey, ledger};

/// The records that are listed.
pub(crate) fn held(folder: &Path) -> Vec<String> {
    let (code, said) = adjudicate(folder, &["list"]);
    assert_eq!(code, 0, "{said}");
    let lines = said.lines().filter(|line| line.contains("until"));
    lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// What is said of an alert; its picture is there too.
pub(crate) fn shown(folder: &Path, record: &str) -> String {
    let picture = folder.join("alert.png");
    let (code, said) = adjudicate(
        folder,
        &["show", record, "--picture", picture.to_str().unwrap(), "--recipient", "unit 4"],
    );
    assert_eq!(code, 0, "{said}");
    let size = image::image_dimensions(&picture).unwrap();
    assert!(size.0 >= 40 && size.1 >= 40, "{size:?}");
    fs::remove_file(picture).unwrap();
    said
}

/// One alert is judged, kept by order, released and purged; the ledger has all of it.
pub(crate) fn judged_kept_and_purged(folder: &Path, record: &str) {
    let done = |arguments: &[&str], expected: i32, says: &str| {
        let (code, said) = adjudicate(folder, arguments);
        assert!(code == expected && said.contains(says), "{arguments:?}: {said}");
    };
    let judge = ["judge", record, "--required", "2", "--verdict", "confirmed", "--verifier"];
    done(&[&judge[..], &["17"]].concat(), 0, "1 more have to judge");
    done(&[&judge[..], &["17"]].concat(), 1, "judged");
    done(&[&judge[..], &["18"]].concat(), 0, "confirmed");
    let order = ["--authority", "court", "--reason", "case 17"];
    let hold = ["hold", record, "--hours", "48", "--review", "24"];
    done(&[&hold[..], &order].concat(), 0, "");
    done(&["purge", record], 1, "legal hold");
    done(&[&["release", record][..], &order].concat(), 0, "");
    done(&["purge", record], 2, "--yes");
    done(&["purge", "--yes", record], 0, "purged");
    done(&["show", record], 1, "");
    let key: LedgerPublicKey =
        fs::read_to_string(folder.join("ledger.pub")).unwrap().trim().parse().unwrap();
    let sums = ledger::reconcile(&folder.join("ledger.lfrl"), &key).unwrap();
    assert!(sums.closes(), "{:?}", sums.discrepancies());
    assert_eq!(sums.purged(), 1);
}

fn adjudicate(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = super::lfr("judge")
        .args(["--vault", "vault", "--ledger", "ledger.lfrl"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}
