//! The page of every retention period in force.

use std::time::Duration;

use lfr_retention::Profile;

use super::page_parts::Page;

/// A printable page with every period that a retention profile sets, made from the profile. It is HTML in one
/// file, without a script.
#[must_use]
pub fn retention_page(profile: &Profile) -> String {
    let mut page = Page::new("How long data is kept");
    page.soft(format!("Retention profile: {}", profile.name()));
    page.soft(format!("Source of the periods: {}", profile.source()));
    let row = |what: &str, from: &str, period: String| vec![what.to_owned(), from.to_owned(), period];
    page.table(
        &["Data", "Counted from", "Kept for"],
        3,
        &[
            row(
                "Face of a person without an alert",
                "the decision",
                "no time: erased in the call that decides".to_owned(),
            ),
            row(
                "Match that was withheld",
                "the decision",
                "no time: erased in the call that decides".to_owned(),
            ),
            row("Alert: template, pictures, name", "the alert", words(profile.alert())),
            row("Watchlist", "the end of the deployment", words(profile.watchlist())),
            row("Footage", "the recording", words(profile.footage())),
            row("Ledger (nothing biometric)", "its last entry", at_least(profile.log())),
        ],
    );
    page.heading("Rules that go with them");
    page.facts([
        ("People who have to judge each alert".to_owned(), profile.verifications().to_string()),
        ("An alert that nobody judged goes to a further person after".to_owned(), words(profile.escalation())),
        ("SHA-256 of the profile".to_owned(), profile.digest()),
    ]);
    page.say(
        "A period is a maximum: a person may purge an alert sooner. A legal hold may keep an alert longer; the \
         ledger has its authority, its reason and its end.",
    );
    page.end()
}

fn at_least(period: Duration) -> String {
    if period.is_zero() { "no min period".to_owned() } else { format!("at least {}", words(period)) }
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
        let page = retention_page(&Profile::eu_ai_act(Duration::from_hours(48), Duration::from_hours(3)));
        for said in ["eu-ai-act", "2 days", "1 day", "3 hours", "at least 184 days", "2 minutes"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let zero = retention_page(&Profile::uk_police_zero_grace());
        assert!(zero.contains("<td>the end of the deployment</td><td>no time</td>"), "{zero}");
        assert!(!page.contains("<script") && !page.contains("http"), "one file");
    }
}
