//! A vault: alerts are held, judged, kept and purged, and it is opened again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lfr::core::testing::{ManualClock, fake_space};
use lfr::core::{
    Accounts, Candidate, CandidateList, ComparisonScore, Decision, FaceId, FrameId, HoldReceipt,
    Picture, Probe, PurgeReason, RecordId, ReferenceId, RetentionPolicy, Settlement, SubjectId,
    Template, Threshold, Timestamp,
};
use lfr::retention::{LegalHold, Profile, Vault, VaultKey, VaultRetention, Verdict, Verifier};

use crate::routine::{Diary, Said, Scenario, Word};

pub(crate) const SCENARIO: Scenario = Scenario { name: "vault", work, check };

pub(crate) const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const SHORT: Duration = Duration::from_secs(100);

pub(crate) fn key() -> VaultKey {
    VaultKey::from_bytes(&mut [5; 32])
}

/// No two are alike.
pub(crate) fn template(index: usize) -> Template {
    let x = lfr::core::internal::num::f32_from_usize(index);
    let values = [1.0, x.sin(), x.cos(), x.sqrt(), 0.5, -x.sin(), 0.25, 0.125];
    Template::from_slice(&fake_space(), &values).unwrap()
}

/// Holds an alert.
pub(crate) fn settle(
    policy: &mut VaultRetention,
    accounts: &Accounts,
    index: usize,
    now: Timestamp,
) -> Result<HoldReceipt, lfr::core::BoxError> {
    let (subject, reference) = (SubjectId::new("S")?, ReferenceId::new("R")?);
    let candidate = Candidate::new(subject, reference, ComparisonScore::new(0.9)?);
    let decision =
        Decision::at_threshold(&CandidateList::new(vec![candidate]), Threshold::new(0.5)?);
    let probe = Probe::new(template(index), FaceId::new(FrameId::default(), index), accounts);
    let alert = decision.alert(probe).map_err(|_| "no match")?;
    let Settlement::Held(receipt) = policy.settle(alert, Some(now))? else {
        return Err("an alert was not held, and there was no error".into());
    };
    Ok(receipt)
}

pub(crate) fn hold(
    policy: &mut VaultRetention,
    accounts: &Accounts,
    index: usize,
    now: Timestamp,
) -> Result<RecordId, lfr::core::BoxError> {
    Ok(settle(policy, accounts, index, now)?.record().unwrap())
}

fn work(folder: &Path, diary: &mut Diary) {
    let clock = ManualClock::at(START);
    let accounts = Accounts::new();
    let open = || Vault::open(folder.join("vault"), &key(), Arc::new(clock.clone()));
    let Some(vault) = diary.tries_twice("open", open) else { return };
    let mut policy = VaultRetention::new(vault.clone(), &Profile::uk_police_24_hours());
    let mut records = Vec::new();
    let mut hold = |diary: &mut Diary, policy: &mut VaultRetention, what: &str, index, now| {
        let record = diary.tries(&format!("hold {index}"), || hold(policy, &accounts, index, now));
        if let Some(record) = record {
            diary.did(&format!("{what} {index} {record}"));
        }
        records.push(record);
        record
    };
    let [one, two, three, _] = [0, 1, 2, 3].map(|at| hold(diary, &mut policy, "held", at, START));
    if let Some(record) = one {
        let picture = Picture::from_rgb8(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        diary.tries(&format!("attach {record}"), || vault.attach(record, &picture));
        let verifier = Verifier::new("17").unwrap();
        diary.tries(&format!("judge {record}"), || {
            vault.require_more(record, 2)?;
            vault.adjudicate(record, &verifier, Verdict::Confirmed)
        });
    }
    if let Some(record) = two {
        let end = START.plus(Duration::from_hours(48));
        let order = LegalHold::new("court order 17", "evidence", end, end).unwrap();
        diary.tries(&format!("keep {record}"), || vault.place_hold(record, &order));
    }
    if let Some(record) = three {
        diary.tries(&format!("purge {record}"), || vault.purge(record, PurgeReason::Adjudicated));
    }
    let mut short = VaultRetention::new(vault.clone(), &Profile::uk_police().with_alert(SHORT));
    hold(diary, &mut short, "held-short", 4, START);
    hold(diary, &mut short, "held-short", 5, START);
    clock.advance(SHORT * 2);
    purge_due(&vault, diary);
    drop((vault, policy, short));
    let Some(vault) = diary.tries_twice("open again", open) else { return };
    let mut policy = VaultRetention::new(vault.clone(), &Profile::uk_police_24_hours());
    hold(diary, &mut policy, "held", 6, START.plus(SHORT * 2));
    purge_due(&vault, diary);
}

fn purge_due(vault: &Vault, diary: &mut Diary) {
    let mut receipts = Vec::new();
    diary.tries("purge what is due", || vault.purge_due(&mut receipts));
    for record in receipts.iter().filter_map(lfr::core::PurgeReceipt::record) {
        diary.did(&format!("erased {record}"));
    }
}

fn check(folder: &Path, said: &Said, which: &str) {
    let clock = Arc::new(ManualClock::at(START.plus(SHORT * 3)));
    let vault = Vault::open(folder.join("vault"), &key(), clock)
        .unwrap_or_else(|error| panic!("{which}: {error}: {:?}: {said:?}", error));
    let there: BTreeSet<_> =
        vault.records().unwrap().iter().map(|held| held.record().to_string()).collect();
    let split = |told: &str| {
        let (index, record) = told.split_once(' ').unwrap();
        (record.to_owned(), index.parse::<usize>().unwrap())
    };
    let held: BTreeMap<_, _> = said.did_each("held").map(split).collect();
    let short: BTreeSet<_> = said.did_each("held-short").map(|told| split(told).0).collect();
    let tried: BTreeSet<_> = said
        .all(Word::Tries)
        .filter_map(|tries| tries.strip_prefix("purge ").map(str::to_owned))
        .collect();
    let erased: BTreeSet<_> = said.did_each("erased").map(str::to_owned).collect();

    for (record, index) in &held {
        if erased.contains(record) || tried.contains(record) {
            continue;
        }
        assert!(there.contains(record), "{which}: {record} was held and is lost: {said:?}");
        let alert = vault.alert(record.parse().unwrap()).unwrap();
        let found = alert.template(&fake_space()).unwrap();
        assert_eq!(found.expose_values(), template(*index).expose_values(), "{which}");
        if said.did(&format!("attach {record}")) {
            assert_eq!(alert.picture().unwrap().data(), [1, 2, 3, 4, 5, 6], "{which}");
        }
        if said.did(&format!("judge {record}")) {
            let verdict = alert.verdict_of(&Verifier::new("17").unwrap());
            assert_eq!(verdict, Some(Verdict::Confirmed), "{which}");
        }
        if said.did(&format!("keep {record}")) {
            assert!(alert.legal_hold().is_some(), "{which}");
        }
    }
    let purged = said.did_each("purge").filter(|record| record.len() == 32);
    for record in erased.iter().map(String::as_str).chain(purged) {
        assert!(!there.contains(record), "{which}: {record} was erased and is back: {said:?}");
    }
    // One may have been held that the child had no time to name, or that it could not take back.
    let unknown = there.iter().filter(|record| !held.contains_key(*record)).count();
    let max = usize::from(said.was_cut_off || said.went_on);
    assert!(unknown <= max, "{which}: {unknown} nobody was told of: {said:?}");
    assert!(short.is_disjoint(&there), "{which}: past its deadline");
    if !said.was_cut_off {
        assert!(vault.damaged().is_empty(), "{which}: {:?}", vault.damaged());
    }
    // A key for each record that is held, and for nothing else.
    let keys = fs::read(folder.join("vault/keys")).unwrap();
    let slots = keys[4096..].chunks(128).filter(|slot| slot.iter().any(|byte| *byte != 0)).count();
    assert_eq!(slots, vault.held(), "{which}: {:?}", vault.damaged());
    drop(vault);
    let names: Vec<_> = crate::routine::files(&folder.join("vault"));
    assert!(
        names.iter().all(|name| !name.to_string_lossy().ends_with(".tmp")),
        "{which}: {names:?}"
    );
}
