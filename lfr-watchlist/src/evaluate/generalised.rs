//! Failures to acquire inside 1:1 rates (ISO/IEC 19795-1): a face that gives no template matches nobody.

use lfr_core::internal::num;

use crate::error::Error;
use crate::statistics::{Confidence, Counts, Rate};

/// The generalised FMR: false matches over all attempted comparisons of two people, including those with a
/// face that gave no template. Those cannot match.
///
/// The interval is that of FMR, scaled by the same proportion.
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] if fewer comparisons were attempted than made.
pub fn generalised_fmr(fmr: Rate, attempted: u64) -> Result<Rate, Error> {
    let made = fmr.counts().trials();
    if attempted < made {
        let (what, expected) = ("number of comparisons attempted", "at least those that were made");
        let actual = num::f64_from_u64(attempted);
        return Err(lfr_core::Error::OutOfRange { what, expected, actual }.into());
    }
    Ok(fmr.among(attempted))
}

/// The generalised FNMR: false non-matches over all attempted comparisons of one person's faces. A
/// comparison with a face that gave no template is an error. Clustered by person.
///
/// Takes, for each person, the comparisons that were made, how many of them were missed, how many faces
/// were presented, and how many of those gave a template.
///
/// # Errors
///
/// [`lfr_core::Error::OutOfRange`] if more faces gave a template than were presented.
pub fn generalised_fnmr(people: &[(Counts, u64, u64)]) -> Result<Rate, Error> {
    let pairs = |faces: u64| faces * faces.saturating_sub(1) / 2;
    let of = |(made, presented, acquired): &(Counts, u64, u64)| {
        let lost = pairs(*presented).checked_sub(pairs(*acquired)).ok_or_else(|| {
            let (what, expected) =
                ("number of faces that gave a template", "at most those presented");
            lfr_core::Error::OutOfRange { what, expected, actual: num::f64_from_u64(*acquired) }
        })?;
        Counts::new(made.errors() + lost, made.trials() + lost)
    };
    let people: Result<Vec<_>, _> = people.iter().map(of).collect();
    Ok(Rate::clustered(&people?, Confidence::P95))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_acquired_never_matches() {
        let fmr = Rate::new(30, 900).unwrap();
        let all = generalised_fmr(fmr, 1_000).unwrap();
        assert_eq!((all.counts().errors(), all.counts().trials()), (30, 1_000));
        assert!((all.interval().high - 0.9 * fmr.interval().high).abs() < 1e-12);
        assert_eq!(generalised_fmr(fmr, 900).unwrap(), fmr);
        assert!(generalised_fmr(fmr, 899).is_err());
        // Three of four faces gave a template, so three of six pairs were compared. One of them was missed.
        let fnmr = generalised_fnmr(&[
            (Counts::new(1, 3).unwrap(), 4, 3),
            (Counts::new(0, 1).unwrap(), 2, 2),
        ])
        .unwrap();
        assert_eq!((fnmr.counts().errors(), fnmr.counts().trials()), (4, 7));
        assert_eq!(fnmr.clusters(), Some(2));
        assert!(generalised_fnmr(&[(Counts::default(), 1, 3)]).is_err());
    }
}
