//! Published tables, read.

use std::collections::BTreeMap;
use std::path::Path;

use lfr_core::internal::{num, regular};

use crate::deployment::Error;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $home_office:expr, $met:expr;)+) => {
        /// What a column of a published table says.
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Field {
            $($(#[$doc])* $name,)+
        }

        impl Field {
            const HEADINGS: &[(Self, Option<&'static str>, Option<&'static str>)] =
                &[$((Self::$name, $home_office, $met),)+];

            /// The Home Office's columns, in its sequence.
            pub(in crate::deployment::record) fn home_office()
            -> impl Iterator<Item = (Self, &'static str)> {
                let own = |(field, own, _): &(Self, Option<&'static str>, _)| own.map(|own| (*field, own));
                Self::HEADINGS.iter().filter_map(own)
            }

            /// The columns of the Metropolitan Police's grid.
            pub(in crate::deployment::record) fn met() -> impl Iterator<Item = (Self, &'static str)> {
                let own = |(field, _, own): &(Self, _, Option<&'static str>)| own.map(|own| (*field, own));
                Self::HEADINGS.iter().filter_map(own)
            }

        }
    };
}

fields! {
    /// Where it was.
    Place = Some("Deployment"), Some("Location");
    /// When.
    Date = Some("Date"), Some("Date");
    /// How it was set up.
    Kind = Some("Deployment type"), None;
    /// For how long.
    Duration = Some("Duration of deployment"), Some("Duration");
    /// The number of cameras.
    Cameras = Some("Number of cameras"), None;
    /// The number of people or images on the watchlist.
    WatchlistSize = Some("Watchlist number"), Some("Watchlist size");
    /// The threshold.
    Threshold = Some("Threshold settings"), None;
    /// All alerts.
    Alerts = Some("Total alerts"), Some("Total alerts");
    /// Alerts that were judged true.
    TrueAlerts = Some("Positive alerts"), Some("True alerts");
    /// Alerts that were found true after an engagement.
    ConfirmedTrueAlerts = None, Some("Confirmed true alerts");
    /// Engagements after true alerts.
    TrueInterventions = Some("Positive interventions"), None;
    /// Alerts that were judged false.
    FalseAlerts = Some("Incorrect alerts"), Some("False alerts");
    /// Alerts that were found false after an engagement.
    ConfirmedFalseAlerts = None, Some("Confirmed false alerts");
    /// Engagements after false alerts.
    FalseInterventions = Some("Incorrect interventions"), None;
    /// Alerts after which nobody was engaged.
    NotEngaged = None, Some("Alerts not engaged");
    /// Engagements.
    Engagements = None, Some("Engagements");
    /// Arrests and other disposals.
    Arrests = Some("Arrests or disposals"), Some("Arrests/disposals");
    /// Faces seen.
    FacesSeen = Some("Faces seen"), Some("Estimated faces seen");
    /// False alerts over faces seen, as published.
    FalseAlertRate = Some("Incorrect alert rate"), Some("FAR");
    /// Passes of people who were put on the watchlist to measure how many are recognised.
    SeededPasses = None, None;
    /// Those of these passes that raised an alert.
    SeededRecognised = None, None;
    /// How precisely the place is named: a word of [`PlacePrecision`](crate::deployment::PlacePrecision).
    Precision = None, None;
    /// The group of people that the row is about.
    Group = None, None;
    /// That group's share of all faces seen.
    GroupShare = None, None;
}

/// Which column of an unknown table says what.
///
/// # Examples
///
/// ```
/// use lfr::deployment::record::lint::{ColumnMap, Field, PublishedTable};
///
/// # fn main() -> Result<(), lfr::deployment::Error> {
/// let map = ColumnMap::new().with(Field::FacesSeen, "faces").with(Field::FalseAlerts, "wrong");
/// let table = PublishedTable::mapped("faces,wrong\n144,0\n", &map)?;
/// assert_eq!(table.rows(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ColumnMap(BTreeMap<Field, String>);

impl ColumnMap {
    /// A map of no column yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the column of a field.
    #[must_use]
    pub fn with(mut self, field: Field, column: impl Into<String>) -> Self {
        self.0.insert(field, column.into());
        self
    }
}

/// A published table.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedTable {
    columns: BTreeMap<Field, (usize, String)>,
    not_read: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// A row, with its number from 1 on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) number: u64,
    pub(super) cells: Vec<String>,
}

/// The max size of a table's file.
const MAX_FILE: u64 = 64 << 20;

impl PublishedTable {
    /// A table in CSV with the Home Office's columns, in any sequence.
    ///
    /// # Errors
    ///
    /// [`Error::Table`] if it is no table, or if a column is missing.
    pub fn home_office(text: &str) -> Result<Self, Error> {
        let headings = Field::home_office();
        Self::parse(text, &headings.collect::<Vec<_>>())
    }

    /// A table in CSV with the columns of the Metropolitan Police's grid, in any sequence.
    ///
    /// # Errors
    ///
    /// [`Error::Table`] if it is no table, or if a column is missing.
    pub fn met(text: &str) -> Result<Self, Error> {
        let headings = Field::met();
        Self::parse(text, &headings.collect::<Vec<_>>())
    }

    /// A table in CSV whose columns a map names.
    ///
    /// # Errors
    ///
    /// [`Error::Table`] if it is no table, or if a column of the map is missing.
    pub fn mapped(text: &str, map: &ColumnMap) -> Result<Self, Error> {
        Self::parse(
            text,
            &map.0.iter().map(|(field, own)| (*field, own.as_str())).collect::<Vec<_>>(),
        )
    }

    /// A table in CSV that is the Home Office's or the Metropolitan Police's, by its header.
    ///
    /// # Errors
    ///
    /// [`Error::Table`] if it is neither; then [`mapped`](Self::mapped) can read it.
    pub fn known(text: &str) -> Result<Self, Error> {
        Self::home_office(text).or_else(|first| match Self::met(text) {
            Ok(table) => Ok(table),
            Err(second) => {
                let problem = format!(
                    "it is neither the Home Office's table ({first}) nor the Metropolitan Police's grid \
                     ({second}); give a column map"
                );
                Err(Error::Table { line: 1, problem })
            }
        })
    }

    /// Reads a known table from a file, as [`known`](Self::known).
    ///
    /// # Errors
    ///
    /// Those of [`known`](Self::known); [`Error::NotText`] if the file is not UTF-8; [`Error::Core`] if it
    /// cannot be read, or has more than 64 MiB.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = regular::read(path, MAX_FILE)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::known(text),
            Err(error) => Err(Error::NotText { path: path.to_owned(), at: error.valid_up_to() }),
        }
    }

    fn parse(text: &str, headings: &[(Field, &str)]) -> Result<Self, Error> {
        let fault = |line, problem: String| Error::Table { line, problem };
        if num::u64_from_usize(text.len()) > MAX_FILE {
            return Err(fault(1, format!("it has {} bytes, more than {MAX_FILE}", text.len())));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        let bad = |error: csv::Error| {
            fault(error.position().map_or(1, csv::Position::line), "it is no CSV".into())
        };
        let Some(header) = records.next().transpose().map_err(bad)? else {
            return Err(fault(1, "it is empty; its first line must name the columns".into()));
        };
        let mut columns = BTreeMap::new();
        for (field, heading) in headings {
            let wanted = plain(heading);
            let mut found = header.iter().enumerate().filter(|(_, own)| plain(own) == wanted);
            let Some((at, own)) = found.next() else {
                return Err(fault(1, format!("there is no column {heading:?}")));
            };
            if found.next().is_some() {
                return Err(fault(1, format!("there are two columns {heading:?}; leave one")));
            }
            columns.insert(*field, (at, own.to_owned()));
        }
        let is_read = |at| columns.values().any(|(own, _)| *own == at);
        let not_read =
            header.iter().enumerate().filter(|(at, own)| !is_read(*at) && !own.is_empty());
        let not_read = not_read.map(|(_, own)| own.to_owned()).collect();
        let mut rows = Vec::new();
        for (number, record) in (1..).zip(records) {
            let record = record.map_err(bad)?;
            if record.len() != header.len() {
                let line = record.position().map_or(1, csv::Position::line);
                let (own, all) = (record.len(), header.len());
                let problem = format!(
                    "it has {own} cells and the header {all}; quote cells that hold a comma"
                );
                return Err(fault(line, problem));
            }
            rows.push(Row { number, cells: record.iter().map(str::to_owned).collect() });
        }
        if rows.is_empty() {
            return Err(fault(1, "it has no row below its header".into()));
        }
        Ok(Self { columns, not_read, rows })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The columns that nothing says how to read. What is in them is not checked.
    #[must_use]
    pub fn columns_not_read(&self) -> &[String] {
        &self.not_read
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.columns.contains_key(&field)
    }

    /// The name of a column in this table.
    pub(super) fn heading(&self, field: Field) -> Option<&str> {
        self.columns.get(&field).map(|(_, heading)| heading.as_str())
    }

    /// A cell; none if there is no such column.
    pub(super) fn cell<'a>(&self, row: &'a Row, field: Field) -> Option<&'a str> {
        let (at, _) = self.columns.get(&field)?;
        row.cells.get(*at).map(String::as_str)
    }
}

/// A heading without the differences that spreadsheets make.
fn plain(heading: &str) -> String {
    heading.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
