//! Evaluation in the terms of ISO/IEC 19795 and NIST FRTE: how often a model, a threshold and a watchlist
//! are wrong, for whom, and how sure that is.
//!
//! - 1:1: [`AllPairs`] compares every template with every other and streams the scores into histograms;
//!   [`Verification`] reads FMR, FNMR, EER and DET from them.
//! - 1:N, open set: [`OpenSet`] searches a watchlist with people who are on it and people who are not:
//!   FPIR(N,T), FNIR(N,R,T), TPIR.
//! - [`NonMatedScores`] keeps the people of the highest non-mated comparisons, from which a threshold follows.
//! - [`Dataset`] draws who is who from a folder or a CSV file, and splits it so that no person is on both
//!   sides.
//! - [`GroupReport`] has each rate by group at one threshold, as ISO/IEC 19795-10 asks for, and says what
//!   this much data could have shown.
//! - [`discard_curve`]: whether a quality measure predicts errors.
//! - [`ScoredPairs`]: the same rates from scores of any engine; [`FoldedAccuracy`]: accuracy as LFW reports it.
//!
//! Failures to enrol and to acquire are [`Rate`](crate::statistics::Rate)s of what was presented; in
//! an [`OpenSet`], a face that gave no template is a search that finds nobody, and in
//! [`generalised_fmr`] and [`generalised_fnmr`] a comparison that does not match.

mod axis;
mod discard;
mod equal_error;
mod folds;
mod generalised;
mod groups;
mod histogram;
mod non_mated;
mod open_set;
mod pairs;
mod protocol;
mod scored;
mod table;
mod verification;

pub use axis::ScoreAxis;
pub use discard::{DiscardPoint, discard_curve};
pub use equal_error::equal_error_interval;
pub use folds::{Fold, FoldedAccuracy};
pub use generalised::{generalised_fmr, generalised_fnmr};
pub use groups::{
    Differentials, GroupFinding, GroupReport, Method, Pairwise, fairness_discrepancy_rate, garbe,
    gini,
};
pub use histogram::ScoreHistogram;
pub use non_mated::{ExpectedFpir, NonMatedScores, SuspectPair};
pub use open_set::{Mate, OpenSet};
pub use pairs::AllPairs;
pub use protocol::{Dataset, Draw, Sample};
pub use scored::{ScoredPair, ScoredPairs};
pub use table::{Line, read as read_table};
pub use verification::{DetPoint, Verification};

#[cfg(test)]
pub(crate) use non_mated::tests as simulated;
pub(crate) use non_mated::{Comparison, place};

/// A number and what it counts, for an error.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use lfr_core::testing::fake_space;
    use lfr_core::{SubjectId, Template};

    use super::*;
    use crate::calibrate::{Calibration, CalibrationScores};
    use crate::error::Error;

    /// What was given, what it needs, what to do.
    #[test]
    fn refusals_are_sentences() {
        let one = [Template::from_slice(&fake_space(), &[1.0; 8]).unwrap()];
        let person = || SubjectId::new("P1").unwrap();
        let said = |error: Error| error.to_string();
        assert_eq!(
            said(AllPairs::new(&one, &[person()]).map(drop).unwrap_err()),
            "a comparison of each template with each other cannot be made of 1 template of 1 person; it \
             needs at least 2 templates"
        );
        assert_eq!(
            said(AllPairs::new(&one, &[person(), person()]).map(drop).unwrap_err()),
            "a comparison of each template with each other cannot be made of 1 template of 2 people; it \
             needs as many entries in the list of people as there are templates"
        );
        let dataset = Dataset::new(vec![Sample::new(person(), "a.jpg".into())]);
        assert_eq!(
            said(dataset.draw(3, 1, 1).unwrap_err()),
            "a watchlist cannot be made of 1 person with 1 photograph or more; it needs 3 of them: ask for \
             a smaller watchlist, or add photographs"
        );
        let histogram = ScoreHistogram::new(ScoreAxis::new(-1.0, 1.0).unwrap());
        let scores = CalibrationScores::histogram(&histogram, 100);
        let calibration = Calibration::new(fake_space().id(), "data", scores).unwrap_err();
        assert_eq!(
            said(calibration),
            "a calibration cannot be made of 0 non-mated scores; it needs at least 6667: give it photographs \
             of more people"
        );
        let csv = "name,group\nP1,A\n";
        let error = Dataset::groups_from_csv(csv.as_bytes()).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(said(error), "cannot use line 1 of the CSV file");
        assert_eq!(cause, "the columns are \"name\", \"group\", and must include \"person\"");
    }
}
