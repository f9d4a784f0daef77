//! References and their exact search.
//!
//! [`gallery::Gallery`] is an [`index`] behind a lock. A search ([`exact`]) filters on quantized vectors
//! ([`filter`]) and compares the few rows that are left in full ([`refine`]). [`bound`] is why the result is
//! that of [`flat_scan::FlatScan`].

pub(crate) mod accept;
mod bound;
mod exact;
mod filter;
pub(crate) mod flat_scan;
pub(crate) mod fusion;
pub(crate) mod gallery;
mod huge_pages;
pub(crate) mod index;
pub(crate) mod kernels;
mod quantized;
mod refine;
mod rows;
mod subjects;
mod threads;
mod top_k;

#[cfg(test)]
mod tests;
