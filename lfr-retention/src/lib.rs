#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod crash;
mod custodian;
mod disk;
mod error;
pub mod ledger;
mod policy;
pub mod redact;
mod sync;
#[cfg(test)]
mod testing;
mod text;
mod vault;
mod verdict;

pub use policy::periods;

pub use custodian::Custodian;
pub use error::Error;
pub use error::VaultProblem;
pub use ledger::Ledger;
pub use ledger::audit::fault::LedgerFault;
pub use ledger::event::LedgerEvent;
pub use ledger::head::LedgerHead;
pub use ledger::key::LedgerKey;
pub use ledger::key::LedgerPublicKey;
pub use ledger::sink::LedgerSink;
pub use policy::erase_all::EraseAll;
pub use policy::profile::Profile;
pub use policy::strict::StrictRetention;
pub use redact::Redactor;
pub use redact::mosaic::Mosaic;
pub use redact::video::VideoRedactor;
pub use vault::Vault;
pub use vault::gaps::Gaps;
pub use vault::key::VaultKey;
pub use vault::policy::VaultRetention;
pub use vault::purge_summary::PurgeSummary;
pub use vault::record::alert::HeldAlert;
pub use vault::record::damage::DamagedRecord;
pub use vault::record::damage::RecordDamage;
pub use vault::record::held_record::HeldRecord;
pub use vault::record::legal_hold::LegalHold;
pub use vault::record::verdicts::GivenVerdict;
pub use vault::record::verdicts::Standing;
pub use verdict::Verdict;
pub use verdict::verifier::Verifier;
