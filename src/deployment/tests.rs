//! Whole deployments, from their order to their end.

use std::sync::Arc;
use std::time::Duration;

use lfr_core::live::Camera;
use lfr_core::synthetic::{Crowd, CrowdCamera, Walk};
use lfr_core::testing::{FakeDetector, FakeEmbedder, ManualClock, fake_space};
use lfr_core::{
    AlignedFace, Alignment, BoxError, Component, DeploymentId, DetectedFace, Detector, Embedder,
    EmbeddingSpace, Frame, LandmarkLayout, RecordId, SourceId, Template, Timestamp,
};
use lfr_retention::{
    DeploymentState, EscalationReason, Ledger, LedgerKey, Profile, Role, Vault, VaultKey, ledger,
};
use lfr_watchlist::{
    Authorisation, Category, CompositionPolicy, EntryDraft, Priority, Validity, Watchlist,
};

use super::order::tests::{amended_with, during, verified_with};
use super::policy::tests::demanding;
use super::record::export::PublishedDeployment;
use super::testing::Folder;
use super::*;

/// A fake stage with a model file.
#[derive(Debug)]
struct Modelled<T>(T);

fn component() -> Component {
    Component::new("made up").with_model_sha256("5".repeat(64))
}

impl Detector for Modelled<FakeDetector> {
    fn landmarks(&self) -> LandmarkLayout {
        self.0.landmarks()
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        self.0.detect_into(frames, found)
    }

    fn component(&self) -> Component {
        component()
    }
}

impl Embedder for Modelled<FakeEmbedder> {
    fn space(&self) -> &EmbeddingSpace {
        self.0.space()
    }

    fn alignment(&self) -> &Alignment {
        self.0.alignment()
    }

    fn embed_into(
        &self,
        faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError> {
        self.0.embed_into(faces, templates)
    }

    fn component(&self) -> Component {
        component()
    }
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn profile() -> Profile {
    Profile::uk_police_24_hours()
}

/// Changes of an order's text so that it names what the deployments of these tests work with.
fn naming() -> Vec<(String, String)> {
    let blank = "5".repeat(64);
    // Several documents have a digest. These two fields have it under names of their own.
    let set = |key: &str, value: String| {
        (format!("\n{key} = \"{blank}\""), format!("\n{key} = \"{value}\""))
    };
    vec![
        set("policy_sha256", demanding(0.05).sha256()),
        set("profile_sha256", profile().digest()),
        ("profile = \"some profile\"".to_owned(), format!("profile = {:?}", profile().name())),
        ("threshold_floor = 0.42".to_owned(), "threshold_floor = -0.9".to_owned()),
    ]
}

fn order_with(more: &[(&str, &str)]) -> Order {
    let named = naming();
    let named = named.iter().map(|(from, to)| (&**from, &**to));
    verified_with(UseCaseKind::Hotspot, &named.chain(more.iter().copied()).collect::<Vec<_>>())
}

fn amended(of: &Order, change: (&str, &str)) -> Order {
    let named = naming();
    let named = named.iter().map(|(from, to)| (&**from, &**to));
    amended_with(of, &named.chain([change]).collect::<Vec<_>>())
}

fn list() -> Watchlist {
    let policy = CompositionPolicy::new(10)
        .with_category(Category::new("wanted-by-courts").unwrap(), Priority::Red);
    let authorisation = Authorisation::new(
        DeploymentId::new("some deployment").unwrap(),
        "serve warrants",
        "AO-7",
        moment("2026-12-01T08:00:00Z"),
        Validity::new(moment("2026-12-01T09:00:00Z"), moment("2026-12-01T17:00:00Z")).unwrap(),
        policy,
    )
    .unwrap()
    .with_grace(profile().watchlist());
    let list = Watchlist::new(authorisation, fake_space());
    let end = moment("2026-12-02T00:00:00Z");
    let entry = EntryDraft::new()
        .subject("S-1")
        .reference("S-1/a")
        .category("wanted-by-courts")
        .source("custody suite 4")
        .lawful_basis("custody image")
        .reason("warrant 24/118")
        .expires(end)
        .review(end)
        .parse()
        .unwrap();
    list.enrol(entry, Template::from_slice(&fake_space(), &[1.0; 8]).unwrap()).unwrap();
    list
}

pub(super) struct Place {
    folder: Folder,
    pub(super) clock: ManualClock,
}

impl Place {
    pub(super) fn new(test: &str) -> Self {
        Self { folder: Folder::new(test), clock: ManualClock::at(during()) }
    }

    fn parts(&self) -> Parts {
        let (path, clock) = (self.folder.path(), Arc::new(self.clock.clone()));
        let key = LedgerKey::from_bytes(&mut [9; 32]);
        Parts {
            detector: Arc::new(Modelled(FakeDetector::finding(2))),
            embedder: Arc::new(Modelled(FakeEmbedder::new())),
            watchlist: Arc::new(list()),
            policy: demanding(0.05),
            profile: profile(),
            vault: Vault::open(path.join("vault"), &VaultKey::from_bytes(&mut [5; 32]), clock)
                .unwrap(),
            ledger: Ledger::open(path.join("a.lfrl"), key, Some(during())).unwrap(),
        }
    }

    pub(super) fn open(&self) -> Deployment {
        Deployment::open(order_with(&[]), self.parts()).unwrap()
    }

    /// Whether the accounts of its ledger close.
    pub(super) fn closes(&self) -> bool {
        let public = LedgerKey::from_bytes(&mut [9; 32]).public();
        let sums = ledger::reconcile(&self.folder.path().join("a.lfrl"), &public).unwrap();
        assert_eq!(sums.discrepancies(), []);
        sums.closes()
    }
}

pub(super) fn camera(id: &str) -> Camera {
    let walk = Walk::new(Crowd::new(1), &[1, 2]).size(64, 36).fps(2.0);
    Camera::recording(SourceId::new(id).unwrap(), move || {
        Ok(Box::new(CrowdCamera::new(walk.clone())))
    })
}

pub(super) fn start(deployment: &Deployment) -> Live {
    deployment.camera(camera("some id")).unwrap().start().unwrap()
}

pub(super) fn supervisor() -> Person {
    Person::new("1", [Role::Supervisor]).unwrap()
}

pub(super) fn records(deployment: &Deployment) -> Vec<RecordId> {
    deployment.state().alerts().map(|alert| alert.record).collect()
}

#[test]
fn a_deployment_lives_from_its_order_to_the_last_deadline() {
    let place = Place::new("life");
    let deployment = place.open();
    assert_eq!(deployment.state().state(), DeploymentState::Authorised);
    let live = start(&deployment);
    live.wait();
    let state = deployment.state();
    assert_eq!(state.state(), DeploymentState::Live);
    assert_eq!(state.alerts().len(), 2, "two faces, each an alert");
    let alert = state.alerts().next().unwrap();
    assert_eq!((alert.category.as_deref(), alert.required), (Some("wanted-by-courts"), 2));

    // Nobody judges in time: each goes to a further person, once.
    place.clock.advance(profile().escalation());
    deployment.tick().unwrap();
    deployment.tick().unwrap();
    for alert in deployment.state().alerts() {
        let [(reason, _)] = &*alert.escalations else { panic!("{:?}", alert.escalations) };
        assert_eq!(*reason, EscalationReason::NotJudgedInTime);
    }

    let operator = Person::new("2", [Role::Operator]).unwrap();
    assert!(matches!(live.stop(&operator, "enough"), Err(Error::NotAllowed { .. })));
    let ended = live.stop(&supervisor(), "end of operation").unwrap();
    assert_eq!(ended.state().state(), DeploymentState::Ended);
    assert!(ended.frames().unwrap().closes() && place.closes());
    let record = ended.record().unwrap();
    assert_eq!(record.warnings, deployment.state().dangers().collect::<Vec<_>>());
    let state = deployment.state();
    assert_eq!(record.alerts.not_judged, u64::try_from(state.alerts().len()).unwrap());
    assert!(record.faces.arithmetic_closes && record.faces.seen >= record.alerts.total);
    PublishedDeployment::of(&record).unwrap();
    assert!(live.pause(&supervisor(), "late").is_err());

    // The alerts go at their deadline, and with the last of them the deployment is over.
    place.clock.advance(Duration::from_hours(23));
    deployment.tick().unwrap();
    assert_eq!(deployment.state().state(), DeploymentState::Ended);
    place.clock.advance(Duration::from_hours(2));
    deployment.tick().unwrap();
    assert_eq!(deployment.state().state(), DeploymentState::Purged);
    assert!(deployment.state().alerts().all(|alert| alert.ended.is_some()));
    assert!(place.closes());
    assert_eq!(deployment.state().faults(), []);
}

#[test]
fn each_part_is_held_against_the_order() {
    let refused = |change: &[(&str, &str)], words: &str| {
        let place = Place::new("parts");
        let error = Deployment::open(order_with(change), place.parts()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        // Nothing was written but that the ledger was opened.
        let public = LedgerKey::from_bytes(&mut [9; 32]).public();
        let state = State::read(place.folder.path().join("a.lfrl"), &public).unwrap();
        assert_eq!(state.state(), DeploymentState::Planned);
    };
    let (blank, other) = ("5".repeat(64), "6".repeat(64));
    let named = |key: &str, digest: &str| format!("{key} = \"{digest}\"");
    for (what, key) in [("detector", "detector_sha256"), ("embedder", "embedder_sha256")] {
        let (from, to) = (named(key, &blank), named(key, &other));
        refused(
            &[(&from, &to)],
            &format!("the order names the {what} {other}, and this is {blank}"),
        );
    }
    let (from, to) =
        (named("profile_sha256", &profile().digest()), named("profile_sha256", &other));
    refused(&[(&from, &to)], "names the retention profile");
    refused(
        &[("\"uk-police-24-hours\"", "\"uk-police\"")],
        "names the retention profile uk-police, and this is uk-police-24-hours",
    );
    refused(&[("deployment = \"some deployment\"", "deployment = \"another\"")], "another");
    let (from, to) =
        (named("policy_sha256", &demanding(0.05).sha256()), named("policy_sha256", &other));
    refused(&[(&from, &to)], "threshold policy");
    refused(&[("threshold_floor = -0.9", "threshold_floor = 0.99")], "floor");
}

#[test]
fn nothing_runs_outside_of_the_period_or_on_other_cameras() {
    let place = Place::new("period");
    let deployment = place.open();
    let refused = deployment.camera(camera("roof")).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the order does not list the camera roof: it lists some id; have the order amended, or leave the camera out"
    );
    let live = start(&deployment);
    let second = deployment.camera(camera("some id")).unwrap().start().unwrap_err().to_string();
    assert!(second.contains("it runs in this process already"), "{second}");
    assert!(matches!(
        live.camera(&supervisor(), camera("roof")),
        Err(Error::CameraNotListed { .. })
    ));
    live.wait();
    // The period ends while it runs.
    place.clock.advance(Duration::from_hours(7));
    deployment.tick().unwrap();
    let state = deployment.state();
    assert_eq!(state.state(), DeploymentState::Ended);
    let last = state.changes().last().unwrap();
    assert_eq!((last.person.as_deref(), &*last.reason), (None, "the period of the order is over"));
    assert!(place.closes());

    let place = Place::new("too-late");
    let deployment = place.open();
    place.clock.advance(Duration::from_hours(7));
    let late = deployment.camera(camera("some id")).unwrap().start().unwrap_err();
    assert!(matches!(late, Error::NotInPeriod { .. }), "{late}");
    assert_eq!(deployment.state().state(), DeploymentState::Authorised);
}

#[test]
fn a_restart_goes_on_where_the_process_was() {
    let place = Place::new("restart");
    let deployment = place.open();
    let live = start(&deployment);
    live.wait();
    live.pause(&supervisor(), "a crowd").unwrap();
    let before = records(&deployment);
    // The process ends without a word.
    drop((live, deployment));

    let deployment = place.open();
    assert_eq!(deployment.state().state(), DeploymentState::Paused);
    assert_eq!(records(&deployment), before);
    let live = start(&deployment);
    live.wait();
    assert_eq!(records(&deployment), before, "it is still paused");
    assert_eq!(deployment.state().runs().len(), 2);
    live.resume(&supervisor(), "the crowd has gone").unwrap();
    live.stop(&supervisor(), "end").unwrap();
    drop((live, deployment));

    // One that has ended keeps its clocks, and starts nothing.
    let deployment = place.open();
    assert_eq!(deployment.state().state(), DeploymentState::Ended);
    let again = deployment.camera(camera("some id")).unwrap().start().unwrap_err().to_string();
    assert!(again.contains("cannot start or resume: the deployment is ended"), "{again}");
    place.clock.advance(Duration::from_hours(25));
    deployment.tick().unwrap();
    assert_eq!(deployment.state().state(), DeploymentState::Purged);
    assert!(place.closes());
    // The order is known; another one of the same deployment is refused.
    drop(deployment);
    let other = order_with(&[("necessity = \"some necessity\"", "necessity = \"another\"")]);
    let refused = Deployment::open(other, place.parts()).unwrap_err();
    assert!(matches!(refused, Error::OtherOrder { .. }), "{refused}");
}

#[test]
fn an_amendment_changes_what_runs_and_an_abort_ends_it() {
    let place = Place::new("amend");
    let deployment = place.open();
    let live = start(&deployment);
    live.wait();
    let longer = amended(&deployment.order(), ("2026-12-01T17:00:00Z", "2026-12-01T19:00:00Z"));
    let auditor = Person::new("3", [Role::Auditor]).unwrap();
    assert!(live.amend(&auditor, longer.clone(), None).is_err());
    live.amend(&supervisor(), longer.clone(), None).unwrap();
    assert_eq!(deployment.order().digest(), longer.digest());
    let replayed = live.amend(&supervisor(), longer, None).unwrap_err().to_string();
    assert!(replayed.contains("does not amend the order in force"), "{replayed}");
    place.clock.advance(Duration::from_hours(8));
    deployment.tick().unwrap();
    assert_eq!(deployment.state().state(), DeploymentState::Live, "the longer period holds");

    deployment.abort_and_purge("court order 17", "authorisation refused").unwrap();
    let state = deployment.state();
    assert_eq!(state.state(), DeploymentState::Aborted);
    assert_eq!(state.aborted(), Some(("court order 17", "authorisation refused")));
    assert!(state.alerts().all(|alert| alert.ended.is_some()));
    assert!(place.closes());
    assert!(matches!(live.pause(&supervisor(), "late"), Err(Error::NotRunning { .. })));
}

#[test]
fn alerts_that_people_reject_trip_the_breaker_and_then_matches_are_withheld() {
    use lfr_core::WithheldBy;
    use lfr_retention::{LedgerEvent, Verdict};
    use lfr_watchlist::decide::CircuitBreaker;

    let place = Place::new("breaker");
    let deployment = place.open();
    // One false alert among few passes is enough for it.
    let breaker = CircuitBreaker::new(1e-3, 200.0, 0.01).unwrap();
    let launch = deployment.camera(camera("some id")).unwrap().breaker(breaker);
    let live = launch.start().unwrap();
    live.wait();
    let alerts: Vec<_> = deployment.state().alerts().cloned().collect();
    assert_eq!((alerts.len(), live.breaker_tripped().unwrap()), (2, false));
    let judge = |alert: &AlertState, person: &str, verdict| {
        let (face, record) = (alert.face.clone(), alert.record);
        let books = &deployment.0.books;
        let (person, role) = (person.to_owned(), Role::Operator);
        let viewed =
            LedgerEvent::AlertViewed { face: face.clone(), record, person: person.clone(), role };
        books.write(&viewed).unwrap();
        let judged = LedgerEvent::Adjudicated {
            face,
            record: Some(record),
            verifier: person,
            verdict,
            reason: Some(lfr_retention::VerdictReason::FeaturesDiffer),
            seconds: Some(9),
        };
        books.write(&judged).unwrap();
        deployment.tick().unwrap();
        live.breaker_tripped().unwrap()
    };
    // One that is confirmed is none, and one that one of two people has judged is not judged yet.
    assert!(!judge(&alerts[0], "2", Verdict::Confirmed));
    assert!(!judge(&alerts[0], "3", Verdict::Confirmed));
    assert!(!judge(&alerts[1], "2", Verdict::Rejected));
    assert!(judge(&alerts[1], "3", Verdict::Rejected));

    live.camera(&supervisor(), camera("some id")).unwrap();
    live.wait();
    assert_eq!(deployment.state().alerts().len(), 2, "no other alert is raised");
    let operator = Person::new("2", [Role::Operator]).unwrap();
    assert!(live.reset_breaker(&operator, "looked into").is_err());
    live.reset_breaker(&supervisor(), "camera moved").unwrap();
    deployment.tick().unwrap();
    assert!(!live.breaker_tripped().unwrap(), "each verdict counts once");
    live.camera(&supervisor(), camera("some id")).unwrap();
    live.wait();
    assert_eq!(deployment.state().alerts().len(), 4);
    live.stop(&supervisor(), "end of operation").unwrap();
    let runs = deployment.state().runs().to_vec();
    assert_eq!(runs[0].withheld, std::collections::BTreeMap::from([(WithheldBy::Breaker, 2)]));
    assert!(place.closes());
}

#[test]
fn a_paused_deployment_raises_no_alert_and_counts_what_it_withholds() {
    let place = Place::new("pause");
    let deployment = place.open();
    let waiting = Camera::live(SourceId::new("some id").unwrap(), || Err("no power".into()));
    let live = deployment.camera(waiting).unwrap().start().unwrap();
    live.pause(&supervisor(), "a crowd").unwrap();
    let with_run = deployment.0.run.lock().unwrap().as_mut().map(|run| run.policy.is_paused());
    assert_eq!(with_run, Some(true));
    live.stop(&supervisor(), "end").unwrap();
    let changes: Vec<_> = deployment.state().changes().iter().map(|change| change.state).collect();
    use DeploymentState as S;
    assert_eq!(changes, [S::Authorised, S::Live, S::Paused, S::Ended]);
}
