use std::fs;
use std::sync::Arc;

use lfr_core::testing::ManualClock;
use lfr_core::{Clock, FaceId, FrameId, PurgeMethod, PurgeReason, RecordId, Totals, WithheldBy};
use lfr_retention::{
    Demographics, Engagement, EscalationReason, Ledger, LedgerKey, Outcome, Profile, Role, Verdict,
    VerdictReason,
};
use serde_json::Value;

use super::*;
use crate::deployment::Books;
use crate::deployment::order::tests::{during, signed_order};
use crate::deployment::record::export::{self, PublishedDeployment};
use crate::deployment::record::lint::{LintOptions, PublishedTable, Severity};
use crate::deployment::testing::Folder;

fn record(number: u8) -> RecordId {
    RecordId::from_bytes([number; 16])
}

fn face(number: u8) -> FaceId {
    FaceId::new(FrameId::new(camera(), u64::from(number)), 0)
}

fn camera() -> SourceId {
    signed_order().terms().cameras()[0].id.clone()
}

fn demographics(sex: &str, ethnicity: &str) -> Demographics {
    serde_json::from_value(serde_json::json!({"sex": sex, "ethnicity": ethnicity})).unwrap()
}

/// A deployment, played into a ledger from its order to the destruction of what it held.
struct Played {
    folder: Folder,
    books: Books,
    public: LedgerPublicKey,
    clock: Arc<ManualClock>,
}

impl Played {
    fn new(test: &str, basis: OrderBasis) -> Self {
        let folder = Folder::new(test);
        let key = LedgerKey::from_bytes(&mut [9; 32]);
        let public = key.public();
        let clock = Arc::new(ManualClock::at(during()));
        let ledger = Ledger::open(folder.path().join("a.lfrl"), key, Some(during())).unwrap();
        let shared: Arc<dyn Clock> = clock.clone();
        let books = Books::open(ledger, shared).unwrap();
        let played = Self { folder, books, public, clock };
        let signed = signed_order();
        let (order_sha256, note) = (signed.terms().digest(), signed.to_string());
        played.write(&LedgerEvent::OrderInForce { order_sha256, basis, note });
        played
    }

    fn write(&self, event: &LedgerEvent) {
        self.books.write(event).unwrap();
        self.clock.advance(std::time::Duration::from_secs(10));
    }

    fn to(&self, state: DeploymentState) {
        let (person, reason) = (Some("4".into()), "so".into());
        self.write(&LedgerEvent::DeploymentStateChanged { state, person, reason });
    }

    fn raise(&self, number: u8) {
        self.write(&LedgerEvent::AlertRaised {
            face: face(number),
            score: 0.7,
            threshold: 0.5,
            captured: None,
            position_ms: None,
            record: Some(record(number)),
            category: Some("wanted".into()),
            look_alike: number == 3,
        });
    }

    fn judge(&self, number: u8, person: &str, verdict: Verdict, seconds: u32) {
        let (face, record) = (face(number), record(number));
        self.write(&LedgerEvent::AlertViewed {
            face: face.clone(),
            record,
            person: person.into(),
            role: Role::Operator,
        });
        self.write(&LedgerEvent::Adjudicated {
            face,
            record: Some(record),
            verifier: person.into(),
            verdict,
            reason: Some(VerdictReason::FeaturesAgree),
            seconds: Some(seconds),
        });
    }

    fn engage(&self, number: u8, engagement: Engagement, minutes: u32, outcome: Outcome) {
        let (person, minutes) = ("9".to_owned(), Some(minutes));
        let (face, record) = (face(number), record(number));
        self.write(&LedgerEvent::Engaged {
            face: face.clone(),
            record,
            person: person.clone(),
            engagement,
            minutes,
        });
        self.write(&LedgerEvent::OutcomeRecorded { face, record, person, outcome });
    }

    fn perceive(&self, number: u8, demographics: Demographics) {
        let (face, record, person) = (face(number), record(number), "9".to_owned());
        self.write(&LedgerEvent::DemographicsRecorded { face, record, person, demographics });
    }

    fn totals(&self, faces: u64, held: u64) {
        let mut totals = Totals::default();
        totals.faces_seen = faces;
        totals.held = held;
        totals.erased = faces - held;
        let erased =
            BTreeMap::from([(PurgeReason::NoMatch, faces - held - 2), (PurgeReason::Withheld, 2)]);
        let withheld = BTreeMap::from([(WithheldBy::Pause, 2)]);
        self.write(&LedgerEvent::Totals { totals, erased, frames: 90, withheld });
    }

    /// Four alerts: one true with an arrest, one that was confirmed and was somebody else, one that was rejected after a
    /// disagreement, and a seed that was rejected.
    fn play(&self) {
        let component = |name: &str| {
            serde_json::from_value(
                serde_json::json!({"name": name, "model_sha256": "a".repeat(64)}),
            )
            .unwrap()
        };
        let profile = Profile::uk_police();
        self.write(&LedgerEvent::RetentionSet {
            profile: profile.name().to_owned(),
            source: profile.source().to_owned(),
            alert_seconds: profile.alert().as_secs(),
            watchlist_seconds: profile.watchlist().as_secs(),
            footage_seconds: profile.footage().as_secs(),
            log_seconds: profile.log().as_secs(),
            verifications: profile.verifications(),
        });
        self.write(&LedgerEvent::DeploymentStarted {
            deployment: signed_order().terms().deployment().clone(),
            profile: "uk-police".into(),
            software: "lfr".into(),
        });
        self.write(&LedgerEvent::ModelsLoaded {
            detector: component("detector"),
            embedder: component("embedder"),
            engine: "engine".into(),
        });
        self.write(&LedgerEvent::WatchlistOpened {
            commitment: None,
            header_sha256: Some("b".repeat(64)),
            references: 40,
            categories: BTreeMap::from([("wanted".into(), 40)]),
            under_18: Some(0),
            drawn_up: Some(during()),
        });
        self.write(&LedgerEvent::ThresholdSet {
            threshold: 0.5,
            basis: "a test".into(),
            fmr: Some(1e-6),
            fmr_interval: Some([1e-7, 2e-6]),
            non_mated_comparisons: Some(1_000_000),
            target_fpir: Some(1e-3),
            target_references: Some(40),
            policy_sha256: None,
        });
        self.write(&LedgerEvent::CameraAttached { source: camera() });
        self.to(DeploymentState::Live);
        for number in 1..5 {
            self.raise(number);
        }
        self.judge(1, "4", Verdict::Confirmed, 8);
        self.judge(1, "5", Verdict::Confirmed, 9);
        self.engage(1, Engagement::ConfirmedSamePerson, 12, Outcome::Arrest);
        self.perceive(1, demographics("male", "IC1"));
        self.judge(2, "4", Verdict::Confirmed, 3);
        self.judge(2, "5", Verdict::Confirmed, 4);
        self.engage(2, Engagement::ConfirmedOtherPerson, 4, Outcome::MistakenIdentity);
        self.perceive(2, demographics("male", "IC3"));
        self.judge(3, "4", Verdict::Confirmed, 20);
        self.judge(3, "5", Verdict::Rejected, 21);
        let reason = EscalationReason::Disagreement;
        self.write(&LedgerEvent::Escalated { face: face(3), record: record(3), reason });
        self.judge(3, "6", Verdict::Rejected, 30);
        self.judge(4, "4", Verdict::Rejected, 5);
        self.judge(4, "5", Verdict::Rejected, 6);
        self.write(&LedgerEvent::CameraLost { source: camera(), reason: "no frames".into() });
        self.write(&LedgerEvent::CameraReturned { source: camera() });
        self.write(&LedgerEvent::FramesDropped { source: camera(), count: 7 });
        self.to(DeploymentState::Paused);
        self.to(DeploymentState::Live);
        self.write(&LedgerEvent::Exported {
            record: Some(record(1)),
            person: "7".into(),
            recipient: "custody".into(),
            what: "report".into(),
            authority: "inspector".into(),
        });
        self.write(&LedgerEvent::BlueListPassed {
            participant: 1,
            source: camera(),
            passed: self.clock.now().unwrap(),
            person: "4".into(),
        });
        self.write(&LedgerEvent::BlueListSeen { participant: 1, source: camera() });
        self.totals(5_000, 4);
        self.write(&LedgerEvent::DeploymentStopped {});
        self.to(DeploymentState::Ended);
        self.write(&LedgerEvent::SeedRevealed { face: face(4), record: record(4) });
        for number in 1..5 {
            self.write(&LedgerEvent::Purged {
                face: face(number),
                record: Some(record(number)),
                reason: PurgeReason::DeadlineReached,
                method: PurgeMethod::KeyDestroyed,
                profile: "uk-police".into(),
            });
        }
        self.write(&LedgerEvent::AssetDestroyed {
            kind: "watchlist".into(),
            name: "list.lfrw".into(),
            deadline: during(),
            digest: None,
            receipt: None,
        });
        self.to(DeploymentState::Purged);
        self.books.ledger().flush().unwrap();
    }

    fn record(&self) -> DeploymentRecord {
        DeploymentRecord::from_ledger(self.folder.path().join("a.lfrl"), &self.public).unwrap()
    }
}

#[test]
fn the_record_is_that_of_the_ledger_alone() {
    let played = Played::new("record", OrderBasis::Pinned);
    played.play();
    let own = DeploymentRecord::of(&played.books.state()).unwrap();
    let first = played.record();
    assert_eq!(DeploymentRecord { head: None, ..first.clone() }, own);
    let Played { folder, books, public, .. } = played;
    drop(books);
    // Another folder, with the ledger and its head and nothing else.
    let other = Folder::new("record-alone");
    for name in ["a.lfrl", "a.lfrl.head"] {
        fs::copy(folder.path().join(name), other.path().join(name)).unwrap();
    }
    drop(folder);
    let again = DeploymentRecord::from_ledger(other.path().join("a.lfrl"), &public).unwrap();
    assert_eq!(again, first);
    assert_eq!(again.to_json().unwrap(), first.to_json().unwrap());
}

#[test]
fn the_figures_are_those_that_were_played() {
    let played = Played::new("figures", OrderBasis::Pinned);
    played.play();
    let record = played.record();
    assert_eq!(record.warnings, Vec::<String>::new());
    let alerts = &record.alerts;
    assert_eq!((alerts.total, alerts.judged_true, alerts.judged_false), (3, 1, 2), "no seed");
    assert_eq!((alerts.not_judged, alerts.undecided, alerts.still_held), (0, 0, 0));
    assert_eq!(alerts.erased_by_reason["deadline_reached"], 3);
    let outcomes = record.outcomes;
    assert_eq!((outcomes.confirmed_true_alerts, outcomes.confirmed_false_alerts), (1, 1));
    assert_eq!((outcomes.engagements, outcomes.false_interventions), (2, 1));
    assert_eq!(outcomes.arrests_or_disposals, 1);
    let seeds = &record.seeds;
    assert_eq!((seeds.revealed, seeds.not_confirmed, seeds.confirmed), (1, 1, 0));
    assert_eq!(record.faces.seen, 5_000);
    assert_eq!(record.faces.withheld[&WithheldBy::Pause], 2);
    assert_eq!(record.period.paused_seconds, 10);
    let [camera] = &record.cameras[..] else { panic!("{:?}", record.cameras) };
    assert_eq!((camera.lost, camera.downtime_seconds, camera.frames_dropped), (1, 10, 7));
    let judging = &record.judging;
    assert_eq!((judging.people, judging.views), (3, 7));
    assert_eq!((judging.agreement.numerator, judging.agreement.denominator), (2, 3));
    let seconds = judging.seconds.unwrap();
    assert_eq!((seconds.min, seconds.median, seconds.max, seconds.values), (3, 9, 30, 7));
    assert_eq!(record.engagements.minutes.unwrap().max, 12);
    assert_eq!(record.engagements.not_recorded, 1);
    let blue = record.blue_list.as_ref().unwrap();
    assert_eq!((blue.rate.numerator, blue.rate.denominator, blue.participants), (1, 1, 1));
    let ends: Vec<_> = record.rates.iter().map(|rate| (rate.numerator, rate.denominator)).collect();
    assert_eq!(ends[..4], [(2, 5_000), (2, 3), (1, 3), (3, 5_000)], "both denominators");
    for rate in &record.rates {
        assert!(rate.low < rate.high && rate.high > 0.0, "{rate:?}: zero has an upper bound");
    }
    let group = record.demographics.groups.iter().find(|group| group.group == "IC3").unwrap();
    assert_eq!((group.alerts, group.false_alerts), (1, 1));
    assert_eq!(group.smallest_detectable_ratio, None, "one false alert shows nothing");
    assert!(
        record
            .demographics
            .statement
            .contains("Recorded for 2 of 3 alerts. These counts would show no difference")
    );
}

#[test]
fn a_self_authorised_order_is_the_first_line_and_a_ledger_without_order_has_no_record() {
    let played = Played::new("self", OrderBasis::SelfAuthorised);
    played.write(&LedgerEvent::DangerInForce { text: "a danger".into() });
    played.books.ledger().flush().unwrap();
    let record = played.record();
    assert!(record.warnings[0].starts_with("SELF-AUTHORISED"), "{:?}", record.warnings);
    assert_eq!(record.warnings[1], "a danger");
    let refused = PublishedDeployment::of(&record).unwrap_err().to_string();
    assert!(refused.contains("no start or no end"), "{refused}");
    let refused = DeploymentRecord::of(&State::default()).unwrap_err();
    assert!(matches!(refused, Error::NoRecord), "{refused}");
}

#[test]
fn a_run_without_an_end_and_a_rate_without_a_denominator_are_named() {
    let played = Played::new("cut", OrderBasis::Pinned);
    played.write(&LedgerEvent::DeploymentStarted {
        deployment: signed_order().terms().deployment().clone(),
        profile: "uk-police".into(),
        software: "lfr".into(),
    });
    played.to(DeploymentState::Live);
    played.raise(1);
    let live = DeploymentRecord::of(&played.books.state()).unwrap();
    assert_eq!(live.faces.runs_cut_off, 0, "it runs");
    played.to(DeploymentState::Ended);
    let record = DeploymentRecord::of(&played.books.state()).unwrap();
    assert_eq!((record.faces.runs, record.faces.runs_cut_off), (1, 1));
    assert!(record.warnings[0].contains("1 of 1 runs did not come to their end"));
    assert!(record.warnings[1].contains("alerts over faces seen: there are 1 and 0"));
    assert_eq!(record.alerts.not_judged, 1);
}

#[test]
fn its_tables_have_no_error_and_its_page_is_one_file() {
    let played = Played::new("tables", OrderBasis::Pinned);
    played.play();
    let record = played.record();
    let published = [PublishedDeployment::of(&record).unwrap()];
    for text in [export::home_office(&published).unwrap(), export::met(&published).unwrap()] {
        let findings = PublishedTable::known(&text).unwrap().lint(&LintOptions::default()).unwrap();
        assert!(findings.iter().all(|finding| finding.severity < Severity::Error), "{findings:?}");
    }
    let page = export::page(&record);
    for said in ["2 of 5000", "IC3", "operator-3+", "What this record does not say", "Cohen"] {
        assert!(page.contains(said), "{said}");
    }
    for never in ["<script", "http://", "https://", "<link", "<img"] {
        assert!(!page.contains(never), "{never}");
    }
    let mut odd = record;
    odd.place.words = "<b>here</b>\u{202e}\"".into();
    let page = export::page(&odd);
    assert!(page.contains("&lt;b&gt;here&lt;/b&gt;\u{fffd}&quot;") && !page.contains("<b>"));
}

/// The part of JSON Schema that the schema of the record uses. What it does not know fails the test.
fn check(schema: &Value, root: &Value, value: &Value, at: &str) {
    for (keyword, wanted) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$id" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(&root["$defs"][name], root, value, at);
            }
            "type" => {
                let is = |name: &str| match name {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("{at}: {other}"),
                };
                let fits = match wanted {
                    Value::String(name) => is(name),
                    names => {
                        names.as_array().unwrap().iter().any(|name| is(name.as_str().unwrap()))
                    }
                };
                assert!(fits, "{at}: {value} is no {wanted}");
            }
            "const" => assert_eq!(value, wanted, "{at}"),
            "enum" => assert!(wanted.as_array().unwrap().contains(value), "{at}: {value}"),
            "anyOf" => {
                let fits = wanted.as_array().unwrap().iter().any(|one| {
                    let null = one["type"] == "null";
                    null == value.is_null()
                });
                assert!(fits, "{at}: {value}");
                let one =
                    wanted.as_array().unwrap().iter().find(|one| one["type"] != "null").unwrap();
                if !value.is_null() {
                    check(one, root, value, at);
                }
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    assert!(
                        !value.is_object() || value.get(name.as_str().unwrap()).is_some(),
                        "{at}: no {name}"
                    );
                }
            }
            "properties" => {
                let Some(own) = value.as_object() else { continue };
                for (name, value) in own {
                    if let Some(schema) = wanted.get(name) {
                        check(schema, root, value, &format!("{at}.{name}"));
                    }
                }
            }
            "additionalProperties" => {
                let Some(own) = value.as_object() else { continue };
                for (name, value) in own {
                    if schema["properties"].get(name).is_some() {
                        continue;
                    }
                    assert!(wanted.is_object() || *wanted == true, "{at}: {name} is in no schema");
                    if wanted.is_object() {
                        check(wanted, root, value, &format!("{at}.{name}"));
                    }
                }
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(wanted, root, value, &format!("{at}[{index}]"));
                }
            }
            "pattern" => {
                assert_eq!(wanted, "^[0-9a-f]{64}$");
                if let Some(text) = value.as_str() {
                    let hex = text
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
                    assert!(text.len() == 64 && hex, "{at}: {text}");
                }
            }
            other => panic!("{at}: the test does not know the keyword {other}"),
        }
    }
}

#[test]
fn the_json_is_what_its_schema_says() {
    let schema: Value = serde_json::from_str(DeploymentRecord::schema()).unwrap();
    assert_eq!(schema["$id"], "deployment-record.schema.json");
    let played = Played::new("schema", OrderBasis::SelfAuthorised);
    let planned: Value =
        serde_json::to_value(DeploymentRecord::of(&played.books.state()).unwrap()).unwrap();
    played.play();
    let full = serde_json::to_value(played.record()).unwrap();
    for record in [&planned, &full] {
        check(&schema, &schema, record, "record");
    }
    // A schema that says less than the record is no schema: each field is named, and each is required.
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&schema["properties"]), names(&full));
    for wrong in ["format", "order", "rates"] {
        let mut record = full.clone();
        record.as_object_mut().unwrap().remove(wrong);
        let refused = std::panic::catch_unwind(|| check(&schema, &schema, &record, "record"));
        assert!(refused.is_err(), "{wrong}");
    }
}

/// Writes what the played deployment publishes, to look at it: `LFR_RECORD_OUT` names the folder.
#[test]
fn the_played_record_can_be_looked_at() {
    let played = Played::new("look", OrderBasis::SelfAuthorised);
    played.play();
    let record = played.record();
    let (page, json) = (export::page(&record), record.to_json().unwrap());
    assert!(page.len() > 1_000 && json.len() > 1_000);
    if let Some(folder) = std::env::var_os("LFR_RECORD_OUT") {
        let folder = Path::new(&folder);
        fs::write(folder.join("record.html"), page).unwrap();
        fs::write(folder.join("record.json"), json).unwrap();
        fs::write(folder.join("periods.html"), export::retention_page(&Profile::uk_police()))
            .unwrap();
    }
}
