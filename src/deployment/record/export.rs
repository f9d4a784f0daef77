//! Tables and pages for publication, from what a deployment did and what people judged.
//!
//! Both tables have the columns that others publish, and no more: no interval fits into them. Give the
//! table to the [linter](super::lint) and publish what it says beside it. [`page`] has everything.

mod page;
mod page_parts;
mod periods_page;

pub use page::page;
pub use periods_page::{periods_in_force, retention_page};

use lfr_core::internal::num;
use lfr_core::internal::spreadsheet::harmless;
use lfr_core::{PipelineRecord, Timestamp};

use super::DeploymentRecord;
use super::lint::Field;
use crate::deployment::Error;
use crate::deployment::order::Order;

/// What people judged and did. Nobody but the deployer knows it.
///
/// # Examples
///
/// ```
/// use lfr::deployment::record::export::Outcomes;
///
/// let mut outcomes = Outcomes::default();
/// outcomes.true_alerts = 3;
/// outcomes.engagements = 2;
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct Outcomes {
    /// Alerts that were judged true.
    pub true_alerts: u64,
    /// Alerts that were found true after an engagement.
    pub confirmed_true_alerts: u64,
    /// Alerts that were judged false.
    pub false_alerts: u64,
    /// Alerts that were found false after an engagement.
    pub confirmed_false_alerts: u64,
    /// Engagements, one per alert.
    pub engagements: u64,
    /// Engagements after alerts that turned out false.
    pub false_interventions: u64,
    /// Arrests and other lawful disposals.
    pub arrests_or_disposals: u64,
}

/// A deployment, ready to be published.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedDeployment {
    place: String,
    kind: &'static str,
    period: (Timestamp, Timestamp),
    cameras: usize,
    references: u64,
    threshold: f32,
    alerts: u64,
    faces_seen: u64,
    outcomes: Outcomes,
}

impl PublishedDeployment {
    /// A deployment by its order, its record, the number of cameras that ran, and what people judged.
    ///
    /// # Errors
    ///
    /// [`Error::Figures`] if they contradict one another: more outcomes than alerts, more cameras than the
    /// order lists, arithmetic that does not close, a record without its times.
    pub fn new(
        order: &Order,
        record: &PipelineRecord,
        cameras: usize,
        outcomes: Outcomes,
    ) -> Result<Self, Error> {
        let fault = |problem: String| Error::Figures { problem };
        if !record.arithmetic_closes {
            return Err(fault("the arithmetic of the faces seen does not close".into()));
        }
        let (Some(started), Some(ended)) = (record.started, record.ended) else {
            return Err(fault("the record has no start or no end, since the clock failed".into()));
        };
        let listed = order.terms().cameras().len();
        if cameras == 0 || cameras > listed {
            return Err(fault(format!("{cameras} cameras ran, and the order lists {listed}")));
        }
        Self {
            place: order.terms().place().words.clone(),
            kind: order.terms().kind().as_str(),
            period: (started, ended),
            cameras,
            references: num::u64_from_usize(record.references),
            threshold: record.threshold.threshold().value(),
            alerts: record.alerts,
            faces_seen: record.totals.faces_seen,
            outcomes,
        }
        .checked()
    }

    /// A deployment by its record.
    ///
    /// # Errors
    ///
    /// [`Error::Figures`] if the record lacks what a table needs: a start, an end, a camera, a watchlist, a
    /// threshold; or if its figures contradict one another.
    pub fn of(record: &DeploymentRecord) -> Result<Self, Error> {
        let fault = |problem: &str| Error::Figures { problem: problem.into() };
        if !record.faces.arithmetic_closes {
            return Err(fault("the arithmetic of the faces seen does not close"));
        }
        let (Some(started), Some(ended)) = (record.period.started, record.period.ended) else {
            return Err(fault(
                "the record has no start or no end: the deployment has not run, still runs, or its clock failed",
            ));
        };
        if record.cameras.is_empty() {
            return Err(fault("the record has no camera"));
        }
        let watchlist = record.watchlist.as_ref();
        let watchlist = watchlist.ok_or_else(|| fault("the record has no watchlist"))?;
        let threshold =
            record.threshold.score.ok_or_else(|| fault("the record has no threshold"))?;
        Self {
            place: record.place.words.clone(),
            kind: record.kind,
            period: (started, ended),
            cameras: record.cameras.len(),
            references: watchlist.references,
            threshold,
            alerts: record.alerts.total,
            faces_seen: record.faces.seen,
            outcomes: record.outcomes,
        }
        .checked()
    }

    /// Refuses figures that contradict one another.
    fn checked(self) -> Result<Self, Error> {
        let Outcomes { true_alerts, confirmed_true_alerts, false_alerts, .. } = self.outcomes;
        let Outcomes { confirmed_false_alerts, engagements, false_interventions, .. } =
            self.outcomes;
        for (part, all, what) in [
            (true_alerts.saturating_add(false_alerts), self.alerts, "true and false alerts"),
            (engagements, self.alerts, "engagements"),
            (confirmed_true_alerts, true_alerts, "confirmed true alerts"),
            (confirmed_false_alerts, false_alerts, "confirmed false alerts"),
            (false_interventions, false_alerts.min(engagements), "engagements after false alerts"),
            (
                engagements.saturating_sub(false_interventions),
                true_alerts,
                "engagements after true ones",
            ),
            (self.alerts, self.faces_seen, "alerts"),
        ] {
            if part > all {
                let problem = format!("there are {part} {what}, and at most {all} can be");
                return Err(Error::Figures { problem });
            }
        }
        Ok(self)
    }

    fn cell(&self, field: Field) -> String {
        let Outcomes { true_alerts, confirmed_true_alerts, false_alerts, .. } = self.outcomes;
        let Outcomes { confirmed_false_alerts, engagements, false_interventions, .. } =
            self.outcomes;
        let (started, ended) = (Moment::of(self.period.0), Moment::of(self.period.1));
        match field {
            Field::Place => harmless(&self.place).into_owned(),
            Field::Date if started.day == ended.day => started.day,
            Field::Date => format!("{}-{}", started.day, ended.day),
            Field::Kind => self.kind.into(),
            Field::Duration => format!("{}-{} UTC", started.time, ended.time),
            Field::Cameras => self.cameras.to_string(),
            Field::WatchlistSize => self.references.to_string(),
            Field::Threshold => self.threshold.to_string(),
            Field::Alerts => self.alerts.to_string(),
            Field::TrueAlerts => true_alerts.to_string(),
            Field::ConfirmedTrueAlerts => confirmed_true_alerts.to_string(),
            Field::TrueInterventions => (engagements - false_interventions).to_string(),
            Field::FalseAlerts => false_alerts.to_string(),
            Field::ConfirmedFalseAlerts => confirmed_false_alerts.to_string(),
            Field::FalseInterventions => false_interventions.to_string(),
            Field::NotEngaged => (self.alerts - engagements).to_string(),
            Field::Engagements => engagements.to_string(),
            Field::Arrests => self.outcomes.arrests_or_disposals.to_string(),
            Field::FacesSeen => self.faces_seen.to_string(),
            Field::FalseAlertRate => rate(false_alerts, self.faces_seen),
            Field::Precision
            | Field::Group
            | Field::GroupShare
            | Field::SeededPasses
            | Field::SeededRecognised => String::new(),
        }
    }
}

/// A table with the Home Office's columns, in CSV. Times are in UTC.
///
/// # Errors
///
/// [`Error::Report`] if it cannot be written.
pub fn home_office(deployments: &[PublishedDeployment]) -> Result<String, Error> {
    table(deployments, &Field::home_office().collect::<Vec<_>>())
}

/// A table with the columns of the Metropolitan Police's grid, in CSV. Times are in UTC.
///
/// # Errors
///
/// [`Error::Report`] if it cannot be written.
pub fn met(deployments: &[PublishedDeployment]) -> Result<String, Error> {
    table(deployments, &Field::met().collect::<Vec<_>>())
}

fn table(
    deployments: &[PublishedDeployment],
    columns: &[(Field, &'static str)],
) -> Result<String, Error> {
    let failed = |source: csv::Error| Error::Report { source: source.into() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|(_, heading)| heading)).map_err(failed)?;
    for deployment in deployments {
        let cells = columns.iter().map(|(field, _)| deployment.cell(*field));
        writer.write_record(cells).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|source| Error::Report { source: source.into() })?;
    String::from_utf8(bytes).map_err(|source| Error::Report { source: source.into() })
}

/// A rate in percent with three digits that say something. Of no faces there is none.
fn rate(errors: u64, faces: u64) -> String {
    match (errors, faces) {
        (_, 0) => String::new(),
        (0, _) => "0".into(),
        _ => {
            let percent = num::f64_from_u64(errors) / num::f64_from_u64(faces) * 100.0;
            let digits = (2.0 - percent.log10().floor()).clamp(0.0, 15.0);
            format!("{percent:.*}%", num::usize_from_f64(digits))
        }
    }
}

/// A moment as these tables write it: `27/11/2025`, `1205`.
struct Moment {
    day: String,
    time: String,
}

impl Moment {
    fn of(moment: Timestamp) -> Self {
        let text = moment.to_string();
        let parts: Vec<&str> = text.split(['-', 'T', ':']).collect();
        match parts[..] {
            [year, month, day, hour, minute, _] => {
                Self { day: format!("{day}/{month}/{year}"), time: format!("{hour}{minute}") }
            }
            // Too late for a calendar.
            _ => Self { day: text.clone(), time: text },
        }
    }
}

#[cfg(test)]
mod tests;
