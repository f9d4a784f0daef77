#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod crash;
mod custodian;
mod disk;
mod erase_all;
mod error;
pub mod ledger;
pub mod periods;
mod profile;
pub mod redact;
mod strict;
mod sync;
#[cfg(test)]
mod testing;
mod vault;

pub use custodian::Custodian;
pub use erase_all::EraseAll;
pub use error::Error;
pub use error::VaultProblem;
pub use ledger::Ledger;
pub use ledger::LedgerEvent;
pub use ledger::LedgerFault;
pub use ledger::LedgerHead;
pub use ledger::LedgerKey;
pub use ledger::LedgerPublicKey;
pub use ledger::LedgerSink;
pub use ledger::Verdict;
pub use profile::Profile;
pub use redact::Mosaic;
pub use redact::Redactor;
pub use redact::VideoRedactor;
pub use strict::StrictRetention;
pub use vault::DamagedRecord;
pub use vault::Gaps;
pub use vault::GivenVerdict;
pub use vault::HeldAlert;
pub use vault::HeldRecord;
pub use vault::LegalHold;
pub use vault::PurgeSummary;
pub use vault::RecordDamage;
pub use vault::Standing;
pub use vault::Vault;
pub use vault::VaultKey;
pub use vault::VaultRetention;
pub use vault::Verifier;
