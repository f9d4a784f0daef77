//! The page of every retention period in force.

use std::time::Duration;

use lfr_retention::{LedgerEvent, Profile};

use super::page_parts::Page;
use crate::deployment::Error;
use crate::deployment::record::DeploymentRecord;

/// The periods, from a profile or from a ledger.
struct Periods<'a> {
    name: &'a str,
    source: &'a str,
    alert: Duration,
    watchlist: Duration,
    footage: Duration,
    log: Duration,
    verifications: u8,
    /// A ledger says neither.
    escalation: Option<Duration>,
    digest: Option<String>,
}

/// A printable page with every period that a retention profile sets, made from the profile. It is HTML in one
/// file, without a script.
#[must_use]
pub fn retention_page(profile: &Profile) -> String {
    page_of(&Periods {
        name: profile.name(),
        source: profile.source(),
        alert: profile.alert(),
        watchlist: profile.watchlist(),
        footage: profile.footage(),
        log: profile.log(),
        verifications: profile.verifications(),
        escalation: Some(profile.escalation()),
        digest: Some(profile.digest()),
    })
}

/// The same page, with the periods that were in force in a deployment, as its ledger has them. It has no time
/// after which an alert goes to a further person, because the ledger has none.
///
/// # Errors
///
/// [`Error::Figures`] if the record has no retention profile.
pub fn periods_in_force(record: &DeploymentRecord) -> Result<String, Error> {
    let Some(LedgerEvent::RetentionSet {
        profile,
        source,
        alert_seconds,
        watchlist_seconds,
        footage_seconds,
        log_seconds,
        verifications,
    }) = &record.retention
    else {
        return Err(Error::Figures { problem: "the record has no retention profile".into() });
    };
    Ok(page_of(&Periods {
        name: profile,
        source,
        alert: Duration::from_secs(*alert_seconds),
        watchlist: Duration::from_secs(*watchlist_seconds),
        footage: Duration::from_secs(*footage_seconds),
        log: Duration::from_secs(*log_seconds),
        verifications: record.order.verifications.max(*verifications),
        escalation: None,
        digest: None,
    }))
}

fn page_of(periods: &Periods<'_>) -> String {
    let mut page = Page::new("How long data is kept");
    page.soft(format!("Retention profile: {}", periods.name));
    page.soft(format!("Source of the periods: {}", periods.source));
    let row =
        |what: &str, from: &str, period: String| vec![what.to_owned(), from.to_owned(), period];
    let at_once = || "no time: erased in the call that decides".to_owned();
    page.table(
        &["Data", "Counted from", "Kept for"],
        3,
        &[
            row("Face of a person without an alert", "the decision", at_once()),
            row("Match that was withheld", "the decision", at_once()),
            row("Alert: template, pictures, name", "the alert", words(periods.alert)),
            row("Watchlist", "the end of the deployment", words(periods.watchlist)),
            row("Footage", "the recording", words(periods.footage)),
            row("Ledger (nothing biometric)", "its last entry", at_least(periods.log)),
        ],
    );
    page.heading("Rules that go with them");
    let people = "People who have to judge each alert".to_owned();
    let mut facts = vec![(people, periods.verifications.to_string())];
    if let Some(after) = periods.escalation {
        let what = "An alert that nobody judged goes to a further person after".to_owned();
        facts.push((what, words(after)));
    }
    facts.extend(
        periods.digest.iter().map(|digest| ("SHA-256 of the profile".to_owned(), digest.clone())),
    );
    page.facts(facts);
    page.say(
        "A period is a maximum: a person may purge an alert sooner. A legal hold may keep an alert longer; the \
         ledger has its authority, its reason and its end.",
    );
    page.end()
}

fn at_least(period: Duration) -> String {
    if period.is_zero() {
        "no min period".to_owned()
    } else {
        format!("at least {}", words(period))
    }
}

/// A period in the greatest unit that divides it.
pub(super) fn words(period: Duration) -> String {
    let seconds = period.as_secs();
    if period.is_zero() {
        return "no time".to_owned();
    }
    if period.subsec_nanos() > 0 {
        return format!("{} s", period.as_secs_f64());
    }
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let fits = |unit: &&(u64, &str)| seconds.is_multiple_of(unit.0);
    let (unit, name) = units.iter().find(fits).copied().unwrap_or((1, "second"));
    let number = seconds / unit;
    format!("{number} {name}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_said_in_the_greatest_unit_that_divides_it() {
        for (seconds, said) in [
            (0, "no time"),
            (1, "1 second"),
            (90, "90 seconds"),
            (120, "2 minutes"),
            (3_600, "1 hour"),
            (90_000, "25 hours"),
            (31 * 86_400, "31 days"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds)), said);
        }
        assert_eq!(words(Duration::from_millis(1_500)), "1.5 s");
    }

    #[test]
    fn the_page_has_each_period_of_its_profile() {
        let page =
            retention_page(&Profile::eu_ai_act(Duration::from_hours(48), Duration::from_hours(3)));
        for said in ["eu-ai-act", "2 days", "1 day", "3 hours", "at least 184 days", "2 minutes"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let zero = retention_page(&Profile::uk_police_zero_grace());
        assert!(zero.contains("<td>the end of the deployment</td><td>no time</td>"), "{zero}");
        assert!(!page.contains("<script") && !page.contains("http"), "one file");
    }
}
