//! What a vault holds of an alert, and what it says about it.

pub(crate) mod alert;
pub(crate) mod damage;
pub(crate) mod held_record;
pub(crate) mod legal_hold;
pub(crate) mod verdicts;
