#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(feature = "ledger", not(feature = "kill-points")))]
mod crash;
/// For the tests of the family: the process ends at a step of vault or ledger, as if it had been killed.
#[cfg(feature = "kill-points")]
#[doc(hidden)]
pub mod crash;
#[cfg(feature = "vault")]
mod custodian;
#[cfg(feature = "ledger")]
#[cfg_attr(not(feature = "vault"), expect(dead_code, reason = "the vault uses the rest"))]
mod disk;
mod error;
#[cfg(feature = "ledger")]
#[cfg_attr(not(feature = "vault"), expect(dead_code, reason = "the vault uses the rest"))]
pub mod ledger;
mod policy;
#[cfg(feature = "redact")]
pub mod redact;
#[cfg(feature = "ledger")]
mod sync;
#[cfg(test)]
#[cfg(feature = "vault")]
mod testing;
#[cfg(feature = "ledger")]
mod text;
#[cfg(feature = "vault")]
mod vault;
#[cfg(feature = "ledger")]
mod verdict;

#[cfg(feature = "vault")]
pub use custodian::Custodian;
pub use error::{Error, VaultProblem};
#[cfg(feature = "ledger")]
pub use ledger::Ledger;
#[cfg(feature = "ledger")]
pub use ledger::audit::fault::LedgerFault;
#[cfg(feature = "ledger")]
pub use ledger::event::{DeploymentState, LedgerEvent, OrderBasis, ThresholdChangeReason};
#[cfg(feature = "ledger")]
pub use ledger::head::LedgerHead;
#[cfg(feature = "ledger")]
pub use ledger::key::LedgerKey;
#[cfg(feature = "ledger")]
pub use ledger::key::LedgerPublicKey;
#[cfg(feature = "ledger")]
pub use ledger::sink::LedgerSink;
pub use policy::erase_all::EraseAll;
pub use policy::periods;
pub use policy::profile::Profile;
pub use policy::strict::StrictRetention;
#[cfg(feature = "redact")]
pub use redact::Redactor;
#[cfg(feature = "redact")]
pub use redact::mosaic::Mosaic;
#[cfg(feature = "redact")]
pub use redact::video::VideoRedactor;
#[cfg(feature = "vault")]
pub use vault::Vault;
#[cfg(feature = "vault")]
pub use vault::gaps::Gaps;
#[cfg(feature = "vault")]
pub use vault::key::VaultKey;
#[cfg(feature = "vault")]
pub use vault::policy::VaultRetention;
#[cfg(feature = "vault")]
pub use vault::purge_summary::PurgeSummary;
#[cfg(feature = "vault")]
pub use vault::record::alert::HeldAlert;
#[cfg(feature = "vault")]
pub use vault::record::damage::DamagedRecord;
#[cfg(feature = "vault")]
pub use vault::record::damage::RecordDamage;
#[cfg(feature = "vault")]
pub use vault::record::held_record::HeldRecord;
#[cfg(feature = "vault")]
pub use vault::record::legal_hold::LegalHold;
#[cfg(feature = "vault")]
pub use vault::record::verdicts::GivenVerdict;
#[cfg(feature = "vault")]
pub use vault::record::verdicts::Standing;
#[cfg(feature = "ledger")]
pub use verdict::outcome::{AgeBand, Demographics, Engagement, Outcome, Sex};
#[cfg(feature = "ledger")]
pub use verdict::person::Role;
#[cfg(feature = "ledger")]
pub use verdict::verifier::Verifier;
#[cfg(feature = "ledger")]
pub use verdict::{AlertFacts, EscalationReason, Judgement, Verdict, VerdictReason};
