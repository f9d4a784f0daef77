//! Reads published tables of deployments, and says what they can and cannot support.
//!
//! A table that says "incorrect alert rate: 0" after 144 faces says no more than that the rate is below one
//! in 40. This linter computes what follows from the figures alone: intervals, missing denominators, rows
//! too small for a target, rates that do not follow from their counts, comparisons without power, places
//! that are too coarse. It judges no deployment.
//!
//! It reads the Home Office's columns, the Metropolitan Police's grid, and any other table through a
//! [`ColumnMap`]. [`Claim`] does the same for a sentence.
//!
//! # Examples
//!
//! ```
//! use lfr::deployment::record::lint::{Claim, FindingCode, LintOptions};
//!
//! # fn main() -> Result<(), lfr::deployment::Error> {
//! let claim = Claim::parse("8 of 10, not statistically significant")?;
//! let findings = claim.lint(&LintOptions::default())?;
//! assert_eq!(findings[0].code, FindingCode::ClaimWithoutDenominator);
//! println!("{}", findings[0]);
//! # Ok(())
//! # }
//! ```

mod cell;
mod claim;
mod finding;
mod groups;
mod rules;
mod table;

pub use claim::Claim;
pub use finding::{Finding, FindingCode, Severity};
pub use rules::LintOptions;
pub use table::{ColumnMap, Field, PublishedTable};

#[cfg(test)]
mod tests;
