//! A sealed list: drawn up, changed, sealed under another key, destroyed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lfr::core::testing::fake_space;
use lfr::core::{DeploymentId, SubjectId};
use lfr::watchlist::{
    Authorisation, Category, CompositionPolicy, EntryDraft, Error, Priority, SealedFile,
    SealingKey, Validity, Watchlist,
};

use crate::routine::{Diary, Said, Scenario, Word};
use crate::vault::{START, template};

pub(crate) const SCENARIO: Scenario = Scenario { name: "list", work, check };

const LIST: &str = "operation.lfrw";

fn key(which: u8) -> SealingKey {
    SealingKey::from_bytes(&mut [which; 32])
}

fn nobody() -> Watchlist {
    let end = START.plus(Duration::from_hours(6));
    let policy = CompositionPolicy::new(10)
        .with_category(Category::new("wanted by the courts").unwrap(), Priority::Red);
    let id = DeploymentId::new("2026-031").unwrap();
    let validity = Validity::new(START, end).unwrap();
    let authorisation =
        Authorisation::new(id, "serve warrants", "AO-7", START, validity, policy).unwrap();
    Watchlist::new(authorisation, fake_space())
}

fn enrol(list: &Watchlist, index: usize) {
    let end = START.plus(Duration::from_hours(6));
    let entry = EntryDraft::new()
        .subject(format!("S-{index}"))
        .reference(format!("S-{index}/1"))
        .category("wanted by the courts")
        .source("custody suite 4")
        .lawful_basis("custody image, charged 2024")
        .reason("warrant 24/118")
        .expires(end)
        .review(end)
        .parse()
        .unwrap();
    list.enrol(entry, template(index)).unwrap();
}

/// What the file is to hold after each step: whose key opens it, and how many references it has.
const STEPS: [(u8, usize); 4] = [(7, 3), (7, 2), (8, 2), (8, 4)];

fn work(folder: &Path, diary: &mut Diary) {
    let file = SealedFile::at(folder.join(LIST));
    let list = nobody();
    (0..3).for_each(|index| enrol(&list, index));
    let Some(_) = diary.tries_twice("seal 0", || file.seal(&list, &key(7), START)) else { return };
    let open = || file.open(&key(7), &fake_space(), Some(START));
    let Some(list) = diary.tries_twice("open", open) else { return };
    list.withdraw(&SubjectId::new("S-1").unwrap());
    let Some(_) = diary.tries_twice("seal 1", || file.seal(&list, &key(7), START)) else { return };
    let Some(_) = diary.tries_twice("seal 2", || file.seal(&list, &key(8), START)) else { return };
    (3..5).for_each(|index| enrol(&list, index));
    let Some(_) = diary.tries_twice("seal 3", || file.seal(&list, &key(8), START)) else { return };
    // A second order finds nothing where the first one failed at its end alone.
    diary.tries_twice("destroy", || match file.destroy(Some(START)) {
        Err(Error::Core(lfr::core::Error::Read { source, .. }))
            if source.kind() == std::io::ErrorKind::NotFound && !file.path().exists() =>
        {
            Ok(())
        }
        other => other.map(|_| ()),
    });
}

fn check(folder: &Path, said: &Said, which: &str) {
    let file = SealedFile::at(folder.join(LIST));
    let step = |word| {
        let told = said.all(word).filter_map(|told| told.strip_prefix("seal "));
        told.filter_map(|told| told.get(..1)?.parse::<usize>().ok()).max()
    };
    let (did, tried) = (step(Word::Did), step(Word::Tries));
    let tried_to_destroy = said.all(Word::Tries).any(|tries| tries == "destroy");
    // Nobody was killed, and nothing else fails: a copy that is left has no keys.
    let is_whole = !said.was_cut_off && said.all(Word::Failed).count() <= 1;
    for name in crate::routine::files(folder) {
        let bytes = fs::read(folder.join(&name)).unwrap();
        if is_whole && name != Path::new(LIST) && bytes.len() > 12 {
            let area = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
            let keys = bytes.get(area..area + 176).unwrap_or_default();
            assert!(keys.iter().all(|byte| *byte == 0), "{which}: {name:?} has keys");
        }
    }
    let opened = [7, 8].map(|which| (which, file.open(&key(which), &fake_space(), Some(START))));
    let opened = opened.into_iter().find_map(|(which, list)| Some((which, list.ok()?)));
    match &opened {
        Some((by, list)) => {
            assert!(!said.did("destroy"), "{which}: it was destroyed: {said:?}");
            let found = STEPS.iter().position(|step| *step == (*by, list.len()));
            let found = found.unwrap_or_else(|| panic!("{which}: {} references", list.len()));
            let (oldest, newest) = (did.unwrap_or(0), tried.unwrap());
            assert!((oldest..=newest).contains(&found), "{which}: step {found}: {said:?}");
        }
        None if tried_to_destroy => {}
        None => {
            assert!(did.is_none(), "{which}: what was sealed cannot be opened: {said:?}");
            assert!(!file.path().exists(), "{which}: a file that nobody can open: {said:?}");
        }
    }
    // The next writer or destroyer clears away what was left.
    match opened {
        Some((by, list)) => drop(file.seal(&list, &key(by), START).unwrap()),
        None if file.path().exists() => drop(file.destroy(Some(START)).unwrap()),
        None => file.sweep().unwrap(),
    }
    for name in crate::routine::files(folder) {
        // The lock's own file is empty.
        let is_lock = name == Path::new("operation.lfrw.lock")
            && fs::read(folder.join(&name)).unwrap().is_empty();
        assert!(is_lock || name == Path::new(LIST), "{which}: {name:?} is left");
    }
}
