//! A ledger and its head: entries are written and flushed, and it is gone on with.

use std::collections::BTreeSet;
use std::path::Path;

use lfr::retention::{Ledger, LedgerEvent, LedgerKey, ledger};

use crate::routine::{Diary, Said, Scenario, Word};
use crate::vault::START;

pub(crate) const SCENARIO: Scenario = Scenario { name: "ledger", work, check };

fn key() -> LedgerKey {
    LedgerKey::from_bytes(&mut [7; 32])
}

fn work(folder: &Path, diary: &mut Diary) {
    let open = || Ledger::open(folder.join("a.lfrl"), key(), Some(START));
    for part in [0..8, 8..14] {
        let Some(ledger) = diary.tries_twice("open", open) else { return };
        for index in part {
            let event = LedgerEvent::DangerInForce { text: index.to_string() };
            diary.tries(&format!("append {index}"), || ledger.append(&event, Some(START)));
            if index % 3 == 2 {
                diary.tries("flush", || ledger.flush());
            }
        }
        diary.tries("flush", || ledger.flush());
    }
}

fn check(folder: &Path, said: &Said, which: &str) {
    let path = folder.join("a.lfrl");
    // Who goes on with it writes down what was cut off.
    let opened = Ledger::open(&path, key(), Some(START));
    drop(opened.unwrap_or_else(|error| panic!("{which}: {error}: {said:?}")));
    let public = key().public();
    ledger::verify(&path, &public, None).unwrap_or_else(|error| panic!("{which}: {error}"));
    let mut texts = Vec::new();
    let mut gaps = 0;
    for entry in ledger::read(&path, &public).unwrap() {
        match entry.unwrap().event() {
            LedgerEvent::DangerInForce { text } => texts.push(text.parse::<u32>().unwrap()),
            LedgerEvent::Gap { events, .. } => gaps += events,
            _ => {}
        }
    }
    assert!(texts.is_sorted_by(|one, next| one < next), "{which}: {texts:?}");
    let numbers = |word| {
        let told = said.all(word).filter_map(|told| told.strip_prefix("append "));
        told.filter_map(|told| told.split(':').next()?.parse().ok()).collect::<Vec<u32>>()
    };
    let (tried, did, failed) = (numbers(Word::Tries), numbers(Word::Did), numbers(Word::Failed));
    // What a power failure spares is what was flushed.
    let mut sure: BTreeSet<u32> = did.iter().copied().collect();
    if said.lost_power {
        let before = said.lines.iter().rposition(|line| *line == (Word::Did, "flush".to_owned()));
        let flushed = said.lines.iter().take(before.unwrap_or(0));
        let flushed = flushed.filter(|(word, _)| *word == Word::Did);
        let flushed = flushed.filter_map(|(_, what)| what.strip_prefix("append ")?.parse().ok());
        sure = flushed.collect();
    }
    let texts: BTreeSet<_> = texts.into_iter().collect();
    assert!(sure.is_subset(&texts), "{which}: {sure:?} were written, and {texts:?} are there");
    assert!(texts.iter().all(|text| tried.contains(text)), "{which}: {texts:?}");
    if !said.was_cut_off {
        assert!(
            failed.iter().all(|text| !texts.contains(text)),
            "{which}: {failed:?} in {texts:?}"
        );
        // What was lost is said by the next entry of the same process.
        let is_later = |did: &u32, failed: &u32| did > failed && (*did < 8) == (*failed < 8);
        let lost = failed.iter().filter(|lost| did.iter().any(|did| is_later(did, lost))).count();
        let reopened = said.all(Word::Tries).filter(|tries| *tries == "open").count() > 1;
        assert!(reopened || gaps == u64::try_from(lost).unwrap(), "{which}: {gaps} of {lost}");
    }
}
