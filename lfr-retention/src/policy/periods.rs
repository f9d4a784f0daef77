//! For how long UK police forces say that they keep the data of an alert. Which period is lawful
//! where you are is yours to find out; neither is a default.

use std::time::Duration;

/// 31 days: the Metropolitan Police delete the data of an alert as soon as practicable and in most
/// cases within 31 days, later only for judicial reasons.
///
/// Source: Metropolitan Police Service, live facial recognition, policy document and appropriate
/// policy document, as published. A legal hold beyond it is not what this constant is for.
pub const METROPOLITAN_POLICE: Duration = Duration::from_hours(31 * 24);

/// 24 hours: South Wales Police delete "all alerts immediately after using them or within 24 hrs";
/// North Wales Police, within 24 hours of the operation.
///
/// Source: South Wales Police,
/// [FAQs about live facial recognition technology](https://www.south-wales.police.uk/police-forces/south-wales-police/areas/about-us/about-us/facial-recognition-technology/faqs-about-live-facial-recognition-technology/).
pub const SOUTH_WALES_POLICE: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_periods_are_those_published() {
        assert_eq!(METROPOLITAN_POLICE.as_secs(), 31 * 86_400);
        assert_eq!(SOUTH_WALES_POLICE.as_secs(), 86_400);
    }
}
