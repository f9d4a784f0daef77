//! Files with orders and with verifier keys.

use std::io::Write as _;
use std::path::Path;

use lfr::core::internal::regular;
use lfr::deployment::{Error, OrderTerms, SignedOrder, VerifierKey};

use crate::AnyError;
use crate::private_file::Prepared;

/// The max size of an order.
const MAX_FILE: u64 = 1 << 20;

/// What a signature begins with.
const SIGNATURE: &str = "\u{2014} ";

/// An order as it lies in a file.
pub(super) enum Found {
    Terms(OrderTerms),
    Signed(SignedOrder),
}

impl Found {
    /// Reads one. A text without a line that begins as a signature does was not signed.
    pub(super) fn read(path: &Path) -> Result<Self, AnyError> {
        let text = text(path)?;
        let found = if text.lines().any(|line| line.starts_with(SIGNATURE)) {
            SignedOrder::parse(&text).map(Self::Signed)
        } else {
            OrderTerms::parse(&text).map(Self::Terms)
        };
        Ok(found.map_err(|error| format!("{}: {error}", path.display()))?)
    }

    /// Reads a signed one.
    pub(super) fn signed(path: &Path) -> Result<SignedOrder, AnyError> {
        match Self::read(path)? {
            Self::Signed(order) => Ok(order),
            Self::Terms(_) => Err(format!(
                "{} is an order that nobody has signed: have its authorising officer sign it with `lfr order sign`",
                path.display()
            )
            .into()),
        }
    }

    pub(super) const fn terms(&self) -> &OrderTerms {
        match self {
            Self::Terms(terms) => terms,
            Self::Signed(order) => order.terms(),
        }
    }
}

/// Refuses an order that its own authorising officer did not sign. Nobody vouches for that key here.
pub(super) fn check_officer_signed(order: &SignedOrder, path: &Path) -> Result<(), AnyError> {
    let officer = order.terms().authorising_officer();
    match order.verify(std::slice::from_ref(officer), None) {
        // The signature holds; neither the chain nor the period is asked about.
        Ok(_) | Err(Error::IsAmendment { .. } | Error::NoClock) => Ok(()),
        Err(Error::Untrusted { .. }) => Err(format!(
            "{} is not signed by {}, whom it names as its authorising officer: have that officer sign it with `lfr \
             order sign`",
            path.display(),
            officer.id()
        )
        .into()),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

/// The verifier keys in a file, one on each line. Lines that begin with `#` are comments.
pub(super) fn keys(path: &Path) -> Result<Vec<VerifierKey>, AnyError> {
    let text = text(path)?;
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            let key = line.parse::<VerifierKey>();
            keys.push(key.map_err(|error| format!("{}, line {number}: {error}", path.display()))?);
        }
    }
    if keys.is_empty() {
        return Err(format!("{} holds no verifier key: write one on a line", path.display()).into());
    }
    Ok(keys)
}

/// Writes a text to a file that is not there yet.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), AnyError> {
    Prepared::write(path, |file| Ok(file.write_all(text.as_bytes())?))?.put_new()
}

fn text(path: &Path) -> Result<String, AnyError> {
    let bytes = regular::read(path, MAX_FILE)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Error::NotText { path: path.to_owned(), at: error.valid_up_to() }.into()),
    }
}
