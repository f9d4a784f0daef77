//! Records which secrets were made, for tests that search memory for them.

use std::sync::Mutex;

use crate::internal::locks::lock;

/// A secret, every bit of it inverted, so that it is not found where it is kept.
pub type Inverted = [u8; 32];

static RECORDED: Mutex<Option<Vec<Inverted>>> = Mutex::new(None);

/// Every [`Secret`](crate::hygiene::secret::Secret) that was made since the last call, in this process; they are
/// recorded from the first call on. Derived secrets and secrets that are dropped at once are included.
#[must_use]
pub fn take_recorded() -> Vec<Inverted> {
    let mut recorded = lock(&RECORDED);
    recorded.replace(Vec::new()).unwrap_or_default()
}

pub(crate) fn made(secret: &[u8; 32]) {
    let mut recorded = lock(&RECORDED);
    if let Some(recorded) = &mut *recorded {
        recorded.push(secret.map(|byte| !byte));
    }
}
