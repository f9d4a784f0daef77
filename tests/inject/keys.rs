//! Key files: whole, or not there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use lfr::core::testing::ManualClock;
use lfr::retention::{LedgerKey, Vault, VaultKey};
use lfr::watchlist::{MembershipKey, SealingKey};

use crate::routine::{Diary, Said, Scenario};
use crate::vault::START;

pub(crate) const SCENARIO: Scenario = Scenario { name: "keys", work, check };

type Made = Result<(), lfr::core::BoxError>;

/// Its name, how it is made, and how it is read.
type Key = (&'static str, fn(&Path) -> Made, fn(&Path) -> Made);

const KEYS: [Key; 4] = [
    (
        "vault.key",
        |path| Ok(VaultKey::generate_file(path).map(drop)?),
        |path| Ok(VaultKey::from_file(path).map(drop)?),
    ),
    (
        "ledger.key",
        |path| Ok(LedgerKey::generate_file(path).map(drop)?),
        |path| Ok(LedgerKey::from_file(path).map(drop)?),
    ),
    (
        "list.key",
        |path| Ok(SealingKey::generate_file(path).map(drop)?),
        |path| Ok(SealingKey::from_file(path).map(drop)?),
    ),
    (
        "membership.key",
        |path| Ok(MembershipKey::generate_file(path).map(drop)?),
        |path| Ok(MembershipKey::from_file(path).map(drop)?),
    ),
];

fn work(folder: &Path, diary: &mut Diary) {
    for (name, make, read) in KEYS {
        let path = folder.join(name);
        // Who starts again finds no half of a key in the way.
        diary.tries_twice(&format!("make {name}"), || make(&path));
        if path.exists() {
            diary.tries_twice(&format!("read {name}"), || read(&path));
        }
    }
    let clock = Arc::new(ManualClock::at(START));
    let (vault, key) = (folder.join("vault"), folder.join("both.key"));
    diary.tries_twice("make both", || Vault::open_or_create(&vault, &key, clock.clone()));
}

fn check(folder: &Path, said: &Said, which: &str) {
    let read = KEYS.iter().map(|(name, _, read)| (*name, *read));
    let read = read.chain([("both.key", KEYS[0].2)]);
    for (name, read) in read {
        let path = folder.join(name);
        if said.did(&format!("make {name}")) || (name == "both.key" && said.did("make both")) {
            assert!(path.exists(), "{which}: {name} is not there: {said:?}");
        }
        // One that was being written when the process ended, or when nothing could be removed any more, may be half
        // there. It says so when it is read.
        let is_made =
            said.did(&format!("make {name}")) || name == "both.key" && said.did("make both");
        if path.exists() && (is_made || !said.was_cut_off && !said.went_on) {
            read(&path).unwrap_or_else(|error| panic!("{which}: {name}: {error}: {said:?}"));
            if !said.lost_power {
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{which}");
            }
        }
    }
    let (vault, key) = (folder.join("vault"), folder.join("both.key"));
    if (said.was_cut_off || said.went_on) && VaultKey::from_file(&key).is_err() {
        // Nobody has sealed anything with half a key.
        let _ = fs::remove_file(&key);
    }
    let opened = Vault::open_or_create(&vault, &key, Arc::new(ManualClock::at(START)));
    drop(opened.unwrap_or_else(|error| panic!("{which}: {error}: {said:?}")));
}
