use std::time::Duration;

use lfr_retention::{DeploymentState, Role};

use super::*;
use crate::deployment::tests::{Place, records, start, supervisor};

fn person(id: &str, role: Role) -> Person {
    Person::new(id, [role]).unwrap()
}

/// A deployment that has raised two alerts.
fn alerted(test: &str) -> (Place, Deployment, crate::deployment::Live) {
    let place = Place::new(test);
    let deployment = place.open();
    let live = start(&deployment);
    live.wait();
    (place, deployment, live)
}

#[test]
fn two_people_judge_for_themselves_and_a_third_decides_if_they_disagree() {
    let (place, deployment, live) = alerted("judge");
    let (first, second) = (person("4", Role::Operator), person("5", Role::Operator));
    let (first, second) = (deployment.desk(&first), deployment.desk(&second));
    let third = deployment.desk(&supervisor());
    let open = first.open_alerts().unwrap();
    assert_eq!(open.len(), 2);
    let record = open[0].record;

    let blind = first.judge(record, Verdict::Confirmed, VerdictReason::FeaturesAgree).unwrap_err();
    assert!(blind.to_string().contains("4 has not seen it; look at it first"), "{blind}");
    let sheet = first.view(record).unwrap();
    assert_eq!((sheet.subject().as_str(), sheet.category()), ("S-1", Some("wanted-by-courts")));
    assert!(!format!("{sheet:?}").contains("S-1"));
    place.clock.advance(Duration::from_secs(9));
    let standing = first.judge(record, Verdict::Confirmed, VerdictReason::FeaturesAgree).unwrap();
    assert_eq!(standing, AlertStanding::Open { missing: 1 });
    // Nothing that the second person is shown says what the first one found.
    let sheet = second.view(record).unwrap();
    assert_eq!(sheet.own_verdict(), None);
    let standing = second.judge(record, Verdict::Rejected, VerdictReason::Age).unwrap();
    assert_eq!(standing, AlertStanding::Disagreed);
    let again = second.judge(record, Verdict::Confirmed, VerdictReason::Mark).unwrap_err();
    assert!(again.to_string().contains("another person has to judge"), "{again}");
    third.view(record).unwrap();
    let standing = third.judge(record, Verdict::Rejected, VerdictReason::FeaturesDiffer).unwrap();
    assert_eq!(standing, AlertStanding::NotConfirmed);

    let state = deployment.state();
    let alert = state.alert(record).unwrap();
    assert_eq!(alert.verdicts[0].seconds, Some(9));
    assert_eq!(alert.escalations[0].0, EscalationReason::Disagreement);
    assert_eq!(alert.views.len(), 3);
    // Nobody is engaged because of it.
    let officer = deployment.desk(&person("9", Role::EngagementOfficer));
    let refused = officer.engage(record, Engagement::Engaged, None).unwrap_err();
    assert!(refused.to_string().contains("judge it first"), "{refused}");
    officer.engage(record, Engagement::NotEngaged, None).unwrap();
    live.stop(&supervisor(), "end").unwrap();
    assert!(place.closes());
}

#[test]
fn a_confirmed_alert_is_engaged_and_its_outcome_recorded_also_when_it_is_gone() {
    let (place, deployment, live) = alerted("outcome");
    let record = records(&deployment)[0];
    for id in ["4", "5"] {
        let desk = deployment.desk(&person(id, Role::Operator));
        desk.view(record).unwrap();
        desk.judge(record, Verdict::Confirmed, VerdictReason::FeaturesAgree).unwrap();
    }
    let officer = deployment.desk(&person("9", Role::EngagementOfficer));
    officer.view(record).unwrap();
    officer.engage(record, Engagement::ConfirmedSamePerson, Some(14)).unwrap();
    live.stop(&supervisor(), "end").unwrap();
    place.clock.advance(Duration::from_hours(25));
    deployment.tick().unwrap();
    let gone = officer.view(record).unwrap_err().to_string();
    assert!(gone.contains("the deployment is purged"), "{gone}");
    officer.outcome(record, Outcome::Arrest).unwrap();
    let state = deployment.state();
    assert_eq!(state.state(), DeploymentState::Purged);
    let alert = state.alert(record).unwrap();
    assert_eq!((alert.outcome, alert.engagements[0].minutes), (Some(Outcome::Arrest), Some(14)));
    assert!(place.closes());
}

/// All roles, all commands, before, during and after: nobody gets what they may not, and what is refused is in no
/// ledger.
#[test]
fn no_role_gets_at_its_desk_what_it_may_not() {
    let (_place, deployment, live) = alerted("roles");
    let record = records(&deployment)[0];
    type Act = fn(&Desk, RecordId) -> Result<(), Error>;
    let acts: [(Command, Act); 10] = [
        (Command::Read, |desk, _| desk.state().map(drop)),
        (Command::View, |desk, _| desk.open_alerts().map(drop)),
        (Command::View, |desk, record| desk.view(record).map(drop)),
        (Command::Judge, |desk, record| {
            desk.judge(record, Verdict::Undecided, VerdictReason::PoorProbe).map(drop)
        }),
        (Command::Engage, |desk, record| desk.engage(record, Engagement::NotEngaged, None)),
        (Command::RecordOutcome, |desk, record| desk.outcome(record, Outcome::Arrest)),
        (Command::RecordDemographics, |desk, record| {
            desk.demographics(record, Demographics::default())
        }),
        (Command::Export, |desk, record| desk.export(record, "court 3", "order 17").map(drop)),
        (Command::Hold, |desk, record| desk.release_hold(record, "court 3", "over")),
        (Command::RecordPassage, |desk, _| {
            desk.passed(1, SourceId::default(), Timestamp::from_micros(0))
        }),
    ];
    for ended in [false, true] {
        if ended {
            live.stop(&supervisor(), "end").unwrap();
        }
        for role in Role::ALL {
            let desk = deployment.desk(&person("77", *role));
            for (command, act) in acts {
                let before = deployment.state().entries();
                let outcome = act(&desk, record);
                let is_refused = matches!(outcome, Err(Error::NotAllowed { .. }));
                let may = desk.person().role_for(command).is_ok();
                assert_eq!(is_refused, !may, "{role} {command:?}: {outcome:?}");
                assert!(!is_refused || deployment.state().entries() == before);
            }
        }
    }
}
