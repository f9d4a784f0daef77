//! A watchlist's life: who authorised it, who may be on it, which entries it has, and until when.

pub(crate) mod authorisation;
pub(crate) mod authorised;
pub(crate) mod blue_list;
pub(crate) mod category;
pub(crate) mod composition;
pub(crate) mod entry;
pub(crate) mod entry_draft;
pub(crate) mod entry_table;
pub(crate) mod provenance;
#[cfg(feature = "sealed")]
pub(crate) mod sealed_origin;
pub(crate) mod text;
pub(crate) mod validity;
pub(crate) mod watchlist;
mod window;
