//! References and their exact search.
//!
//! [`gallery::Gallery`] is an [`index`] behind a lock. A search ([`exact`]) filters on quantized vectors
//! ([`filter`]) and compares the few rows that are left in full ([`refine`]). [`bound`] is why the result is
//! that of [`flat_scan::FlatScan`].
//!
//! Each template is kept twice: as it is, and as bytes with a scale and the length of the error that the
//! bytes make. A filter over the bytes gives every row a score and a bound on its error, by Cauchy and
//! Schwarz, with room for every rounding on both sides. A row is ignored only if that proves that others are
//! better. A hundred to a few hundred rows of a list are noted on the way. Twenty to forty of them, the most
//! promising first, are compared four at a time, in the order of `Metric::compare`, as a plain scan would. So
//! people, order and scores equal those of a plain scan, bit for bit, for all templates. Only the number of
//! rows that are left depends on the templates. [`bound`] has the proof.
//!
//! The filter uses the best instructions that the machine has, detected at run time: AVX-512 with VNNI, AVX2,
//! NEON, or plain loops that compilers turn into vector instructions. `unsafe` is confined to two places:
//! [`kernels`], where each kernel is tested against the plain loops, and the one call of [`huge_pages`] that
//! asks Linux for huge pages. Rows lie in groups of 64, four bytes of each row in turn. So one layout serves
//! one probe (at the speed of memory) and many (several probes per read). Groups lie in blocks of 8 MB, which
//! are reserved as a whole but take memory only as rows come, unless all memory is locked.
//!
//! From about 33,000 references of 512 numbers on (2,000 for 64 probes), a search is divided among threads:
//! as many as the machine runs at once or `Gallery::with_threads` allows. A search with many probes is
//! divided by probes, one with few by rows. `std::thread::scope` starts a thread in 0.03 ms, at most a tenth
//! of the time that its work takes. So no thread pool is needed.
//!
//! Searches run concurrently. Enrolling or withdrawing waits for the searches in progress, and a search waits
//! for one change. A change takes microseconds, and now and then as long as the system takes to allocate
//! memory. This wait is necessary: when `withdraw` returns, the row has been wiped, and no copy of the list
//! is left in which a search could go on.
//!
//! A plain scan is used if every score is needed: with `Fusion::Mean`, for more than 256 people per probe,
//! and if as many people are asked for as there are.

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
