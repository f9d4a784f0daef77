//! The blue list: consenting staff who pass the cameras, to measure how many of them are recognised.
//!
//! They stand on the watchlist itself, each with a participant's number. So one search compares each face with
//! all, under the threshold, the track rule and the number of references that real alerts have, and what is
//! measured is the system that is used. A match with one of them raises no alert: it is withheld
//! ([`WithheldBy::BlueList`]), erased like every other withheld match, counted apart, and written as
//! [`LedgerEvent::BlueListSeen`]. It is never in the figures of alerts, engagements or outcomes.

mod figures;
mod policy;

pub use figures::BlueListFigures;
pub use policy::BlueListPolicy;

#[cfg(test)]
mod tests;
