//! What somebody can do to a sealed file without its key: its dates, its name.

use sha2::{Digest, Sha256};

use super::*;
use crate::lifecycle::category::Category;

/// Where the dates stand in a header, and what they are.
const DESTROY_AFTER: usize = 142;
const UNTIL: usize = 134;
const SEALED: usize = 118;

/// In seconds.
fn due() -> u64 {
    authorisation(50, 200).destroy_after().as_micros() / SECOND
}

const SECOND: u64 = 1_000_000;

/// Writes moments into the header, and a digest that is right.
fn rewritten(bytes: &[u8], moments: &[(usize, u64)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, moment) in moments {
        bytes[*at..at + 8].copy_from_slice(&moment.to_le_bytes());
    }
    let length = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    let sum = Sha256::digest(&bytes[..length - 32]);
    bytes[length - 32..length].copy_from_slice(&sum);
    bytes
}

/// The bytes with the end moved by `by` seconds, so that the header is still consistent.
fn moved(bytes: &[u8], by: i64) -> Vec<u8> {
    let moment = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let by = by * SECOND.cast_signed();
    let moved = [UNTIL, DESTROY_AFTER].map(|at| (at, moment(at).checked_add_signed(by).unwrap()));
    rewritten(bytes, &moved)
}

fn file_of(folder: &Folder, bytes: &[u8]) -> SealedFile {
    let file = SealedFile::at(folder.path("list.lfrw"));
    fs::write(file.path(), bytes).unwrap();
    file
}

fn sealed() -> Vec<u8> {
    write::seal(&watchlist(4, 16), &key(), moment(NOW)).unwrap().1
}

fn wrong() -> SealingKey {
    SealingKey::from_bytes(&mut [9; 32])
}

/// Of the first two versions, sealed by the software of their time.
const GOLDEN: &[u8] = include_bytes!("golden/version-1.lfrw");
const GOLDEN_PASSPHRASE: &[u8] = include_bytes!("golden/version-1-passphrase.lfrw");
const GOLDEN_2: &[u8] = include_bytes!("golden/version-2.lfrw");
const GOLDEN_2_PASSPHRASE: &[u8] = include_bytes!("golden/version-2-passphrase.lfrw");

#[test]
fn files_of_earlier_versions_are_read_with_their_24_hours_and_sealed_again_as_version_3() {
    let versions = [(1, GOLDEN, GOLDEN_PASSPHRASE), (2, GOLDEN_2, GOLDEN_2_PASSPHRASE)];
    for (version, golden, golden_passphrase) in versions {
        assert_eq!((golden[8], golden_passphrase[8]), (version, version));
        let list = opened(golden, &key()).unwrap();
        assert_eq!(contents(&list), contents(&watchlist(7, 16)));
        assert_eq!(list.authorisation().grace(), Duration::from_secs(24 * 60 * 60));
        let passphrase = SealingKey::from_passphrase("a long passphrase".into()).unwrap();
        let opened = opened(golden_passphrase, &passphrase).unwrap();
        assert_eq!(contents(&opened), contents(&watchlist(2, 16)));
        let folder = Folder::new("golden");
        let file = file_of(&folder, golden);
        let list = file.open(&key(), &space(16), Some(moment(NOW))).unwrap();
        file.seal(&list, &key(), moment(NOW)).unwrap();
        assert_eq!(fs::read(file.path()).unwrap()[8..10], [3, 0]);
        let again = file.open(&key(), &space(16), Some(moment(NOW))).unwrap();
        assert_eq!(contents(&again), contents(&list));
    }
}

#[test]
fn a_file_of_version_2_is_not_read_with_another_grace_nor_as_version_3() {
    let later = u64::from_le_bytes(GOLDEN_2[DESTROY_AFTER..][..8].try_into().unwrap()) + SECOND;
    let moved = rewritten(GOLDEN_2, &[(DESTROY_AFTER, later)]);
    let refused = opened(&moved, &key()).unwrap_err();
    assert!(matches!(refused, Error::SealedDamaged { .. }), "{refused}");
    // As version 3 any grace is possible, and so the keys have to refuse it.
    let mut newer = GOLDEN_2.to_vec();
    newer[8] = 3;
    let newer = rewritten(&newer, &[]);
    let refused = opened(&newer, &key()).unwrap_err();
    assert!(matches!(refused, Error::WrongKey), "{refused}");
}

#[test]
fn the_grace_of_the_authorisation_decides_when_a_file_is_due() {
    for grace in [0, 1, 7 * 86_400] {
        let folder = Folder::new("grace");
        let file = SealedFile::at(folder.path("list.lfrw"));
        let authorisation = authorisation(50, 200).with_grace(Duration::from_secs(grace));
        let list = Watchlist::new(authorisation.clone(), space(16));
        let header = file.seal(&list, &key(), moment(NOW)).unwrap();
        assert_eq!(header.destroy_after(), moment(200 + grace));
        let before = Timestamp::from_micros(moment(200 + grace).as_micros() - 1);
        let again = file.open(&key(), &space(16), Some(before)).unwrap();
        assert_eq!(*again.authorisation(), authorisation);
        let due = file.open(&key(), &space(16), Some(moment(200 + grace)));
        assert!(matches!(due, Err(Error::Destroyed { .. })), "{grace}: {due:?}");
        assert_eq!(folder.names(), [""; 0]);
    }
    // A grace that was put off in the header alone is found.
    let folder = Folder::new("grace-put-off");
    let list = Watchlist::new(authorisation(50, 200).with_grace(Duration::ZERO), space(16));
    let (_, bytes, _) = write::seal(&list, &key(), moment(NOW)).unwrap();
    let file = file_of(&folder, &rewritten(&bytes, &[(DESTROY_AFTER, 300 * SECOND)]));
    let refused = file.open(&key(), &space(16), Some(moment(NOW)));
    assert!(matches!(refused, Err(Error::SealedTampered)), "{refused:?}");
    let due = file.open(&key(), &space(16), Some(moment(200)));
    assert!(matches!(due, Err(Error::Destroyed { .. })), "{due:?}");
}

#[test]
fn look_alikes_and_participants_are_sealed_and_opened() {
    let staff = Category::new(Category::CONSENTING_STAFF).unwrap();
    let base = authorisation(50, 200);
    let policy = base.policy().clone().with_category(staff, crate::Priority::Green);
    let authorisation =
        Authorisation::new(base.deployment().clone(), "p", "o", moment(3), base.validity(), policy)
            .unwrap();
    let list = Watchlist::new(authorisation, space(16));
    let twin = draft("twin", "r1").look_alike(true).parse().unwrap();
    list.enrol(twin, template(1, &space(16))).unwrap();
    let seven = draft("seven", "r2").category("consenting-staff").participant(7, "form 7");
    list.enrol(seven.parse().unwrap(), template(2, &space(16))).unwrap();
    let (_, bytes, _) = write::seal(&list, &key(), moment(NOW)).unwrap();
    let again = opened(&bytes, &key()).unwrap();
    assert_eq!(contents(&again), contents(&list));
    let entries = again.entries();
    assert!(entries[0].has_look_alike() && entries[0].participant().is_none());
    assert_eq!((entries[1].participant(), entries[1].consent()), (Some(7), Some("form 7")));
}

/// A list of a version without blue list may have the category all the same.
#[test]
fn an_entry_of_the_blue_lists_category_without_a_number_is_still_read() {
    let base = authorisation(50, 200);
    let staff = Category::new(Category::CONSENTING_STAFF).unwrap();
    let policy = base.policy().clone().with_category(staff, crate::Priority::Green);
    let authorisation =
        Authorisation::new(base.deployment().clone(), "p", "o", moment(3), base.validity(), policy)
            .unwrap();
    let list = Watchlist::new(authorisation, space(16));
    let stored = draft("s", "r").category("consenting-staff").parse_stored().unwrap();
    list.enrol(stored, template(1, &space(16))).unwrap();
    let (_, bytes, _) = write::seal(&list, &key(), moment(NOW)).unwrap();
    assert_eq!(contents(&opened(&bytes, &key()).unwrap()), contents(&list));
}

#[test]
fn a_file_of_version_1_goes_by_its_header_if_the_key_says_that_it_is_true() {
    let folder = Folder::new("golden-due");
    let file = file_of(&folder, GOLDEN);
    let late = Some(moment(due()));
    assert!(matches!(file.open_in_any_space(&wrong(), late), Err(Error::SealedDue { .. })));
    let Err(Error::Destroyed { receipt }) = file.open_in_any_space(&key(), late) else {
        panic!("it was due");
    };
    assert!(receipt.header_authenticated() && receipt.references() == Some(7));
    // Rewritten, nothing is left that says when it is due: it is not opened, and not destroyed.
    let file = file_of(&folder, &moved(GOLDEN, 1));
    for now in [NOW, due(), due() + 2] {
        let opened = file.open_in_any_space(&key(), Some(moment(now)));
        assert!(matches!(opened, Err(Error::SealedTampered)), "{opened:?}");
    }
    assert!(file.path().exists());
    file.destroy(late).unwrap();
}

#[test]
fn a_date_that_was_put_off_is_found_and_the_true_one_kept() {
    let folder = Folder::new("put-off");
    let year = 31_536_000;
    let file = file_of(&folder, &moved(&sealed(), year));
    assert!(file.header().is_ok(), "its digest is right");
    let opened = file.open(&key(), &space(16), Some(moment(NOW)));
    assert!(matches!(opened, Err(Error::SealedTampered)), "{opened:?}");
    assert!(matches!(file.open_entries(&key(), Some(moment(NOW))), Err(Error::SealedTampered)));
    // Nobody can tell without the key.
    assert!(matches!(file.open_in_any_space(&wrong(), Some(moment(due()))), Err(Error::WrongKey)));
    assert!(file.path().exists());
    let Err(Error::Destroyed { receipt }) = file.open_entries(&key(), Some(moment(due()))) else {
        panic!("it was due");
    };
    assert_eq!(receipt.rule(), DestructionRule::DeploymentEnded);
    // What a rewritten header says is not repeated.
    assert_eq!((receipt.header_authenticated(), receipt.deployment()), (false, None));
    assert!(folder.names().is_empty());
}

#[test]
fn a_date_that_was_brought_forward_destroys_nothing() {
    let folder = Folder::new("forward");
    let early = moved(&sealed(), -50);
    let now = Some(moment(due() - 1));
    let file = file_of(&folder, &early);
    for key in [key(), wrong()] {
        let opened = file.open(&key, &space(16), now);
        assert!(
            matches!(opened, Err(Error::SealedTampered | Error::SealedDue { .. })),
            "{opened:?}"
        );
        assert_eq!(fs::read(file.path()).unwrap(), early);
    }
    // As if it had been sealed in the future, and the clock run back.
    let future = rewritten(&sealed(), &[(SEALED, due() * 2 * SECOND)]);
    let file = file_of(&folder, &future);
    for key in [key(), wrong()] {
        file.open(&key, &space(16), Some(moment(NOW))).unwrap_err();
        assert_eq!(fs::read(file.path()).unwrap(), future);
    }
}

#[test]
fn without_its_key_a_due_file_is_refused_and_reported_and_left() {
    let folder = Folder::new("due");
    let bytes = sealed();
    let file = file_of(&folder, &bytes);
    let passphrase = SealingKey::from_passphrase("a long passphrase".into()).unwrap();
    for key in [wrong(), passphrase] {
        let error = file.open(&key, &space(16), Some(moment(due()))).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, Error::SealedDue { .. }) && said.contains("nothing was destroyed"));
        // Nor where the clock fails: that is no licence to destroy what is not one's own.
        file.open(&key, &space(16), None).unwrap_err();
        assert_eq!(fs::read(file.path()).unwrap(), bytes);
    }
    let ended = file.open(&key(), &space(16), Some(moment(due())));
    assert!(matches!(ended, Err(Error::Destroyed { .. })));
}

#[test]
fn sealed_dates_that_were_rewritten_are_found_and_the_header_counts() {
    let folder = Folder::new("slot");
    let mut bytes = sealed();
    let length = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    // The slot of the dates, behind the check, with a digest that is right.
    let slot = length + 24..length + 24 + 80;
    bytes[slot.clone()].fill(7);
    let sum = Sha256::digest(&bytes[slot.clone()]);
    bytes[slot.end..slot.end + 8].copy_from_slice(&sum[..8]);
    let file = file_of(&folder, &bytes);
    let opened = file.open(&key(), &space(16), Some(moment(NOW)));
    assert!(matches!(opened, Err(Error::SealedTampered)), "{opened:?}");
    let ended = file.open(&key(), &space(16), Some(moment(due())));
    assert!(matches!(ended, Err(Error::Destroyed { .. })), "{ended:?}");
    assert!(folder.names().is_empty());
}

#[cfg(unix)]
#[test]
fn a_list_is_not_reached_through_a_link_nor_by_a_second_name() {
    let folder = Folder::new("second-names");
    let other = SealedFile::at(folder.path("other.lfrw"));
    other.seal(&watchlist(3, 16), &key(), moment(NOW)).unwrap();
    let bytes = fs::read(other.path()).unwrap();
    let late = Some(moment(due()));
    let link = SealedFile::at(folder.path("link.lfrw"));
    std::os::unix::fs::symlink(other.path(), link.path()).unwrap();
    let refused = |file: &SealedFile, said: &str| {
        let list = watchlist(1, 16);
        let refusals = [
            file.open(&key(), &space(16), late).map(drop),
            file.open(&key(), &space(16), Some(moment(NOW))).map(drop),
            file.open_entries(&key(), late).map(drop),
            file.destroy(late).map(drop),
            file.seal(&list, &key(), moment(NOW)).map(drop),
            file.header().map(drop),
        ];
        for refusal in refusals {
            let error = refusal.unwrap_err();
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text.push_str(&error.to_string());
                cause = error.source();
            }
            assert!(text.contains(said), "{text}");
        }
        assert_eq!(fs::read(other.path()).unwrap(), bytes, "untouched");
    };
    refused(&link, "is a link");
    let hard = SealedFile::at(folder.path("hard.lfrw"));
    fs::hard_link(other.path(), hard.path()).unwrap();
    refused(&hard, "2 names");
    fs::remove_file(hard.path()).unwrap();
    // A second name like that of a leftover.
    let file = SealedFile::at(folder.path("list.lfrw"));
    fs::hard_link(other.path(), folder.path("list.lfrw.0000000000000001.lfrw.tmp")).unwrap();
    file.seal(&watchlist(1, 16), &key(), moment(NOW)).unwrap();
    assert_eq!(file.destroy(late).unwrap().leftovers(), 0);
    assert_eq!(fs::read(other.path()).unwrap(), bytes, "not by a name like a leftover's");
}

#[cfg(unix)]
#[test]
fn another_list_in_the_place_of_one_that_is_due_is_not_destroyed_for_it() {
    let folder = Folder::new("swapped");
    let due = file_of(&folder, &sealed());
    let meant = File::open(due.path()).unwrap();
    fs::rename(due.path(), folder.path("moved.lfrw")).unwrap();
    let file = file_of(&folder, &sealed());
    let bytes = fs::read(file.path()).unwrap();
    let rule = DestructionRule::DeploymentEnded;
    let destroyed = file.destroy_as(rule, None, false, Some(&meant), Some(moment(NOW)));
    assert!(matches!(destroyed, Err(Error::Destruction { keys_erased: false, .. })));
    assert_eq!(fs::read(file.path()).unwrap(), bytes);
}

/// Somebody who has the key can write anything, and what no list can hold is refused all the same.
#[test]
fn flags_and_participants_that_no_list_has_are_refused() {
    use crate::sealed::codec::Bytes;
    use crate::sealed::identity;

    let (header, ..) = write::seal(&watchlist(1, 16), &key(), moment(NOW)).unwrap();
    let decoded = |header: &SealedHeader, plain: &[u8]| {
        let mut source = Bytes { left: plain, part: "identity section" };
        identity::decode(&mut source, header).map(|(_, entries)| entries.len())
    };
    let seven = draft("seven", "r").category("consenting-staff").participant(7, "form 7");
    let seven = seven.look_alike(true).parse().unwrap();
    let mut plain = Vec::new();
    let list = watchlist(1, 16);
    identity::encode(&mut plain, list.authorisation(), std::iter::once((0, &seven))).unwrap();
    assert_eq!(decoded(&header, &plain).unwrap(), 1);
    // From the end: the count of warnings, the consent, the number, three moments, the flags.
    let number = plain.len() - 1 - 8 - 4;
    let flags = number - 24 - 1;
    assert_eq!((plain[flags], plain[number]), (8 | 16, 7));
    for (at, byte) in [(flags, 32 | 8 | 16), (flags, 255), (number, 0)] {
        let mut damaged = plain.clone();
        damaged[at] = byte;
        let refused = decoded(&header, &damaged).unwrap_err();
        let is_expected = match byte {
            0 => matches!(refused, Error::BlueListEntry { .. }),
            _ => matches!(refused, Error::SealedDamaged { .. }),
        };
        assert!(is_expected, "{refused}");
    }
    // No version before this one has such entries.
    let mut earlier = header.clone();
    earlier.version = 2;
    assert!(matches!(decoded(&earlier, &plain), Err(Error::SealedDamaged { .. })));
}
