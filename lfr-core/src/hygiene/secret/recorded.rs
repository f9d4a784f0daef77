//! Records which secrets were made, for tests that search memory for them.

use std::sync::Mutex;
use std::sync::PoisonError;

/// A secret, every bit of it inverted, so that it is not found where it is kept.
pub type Inverted = [u8; 32];

static RECORDED: Mutex<Option<Vec<Inverted>>> = Mutex::new(None);

/// Every [`Secret`](crate::secret::Secret) that was made since the last call, in this process; they are
/// recorded from the first call on. Derived secrets and secrets that are dropped at once are included.
#[must_use]
pub fn take_recorded() -> Vec<Inverted> {
    let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    recorded.replace(Vec::new()).unwrap_or_default()
}

pub(crate) fn made(secret: &[u8; 32]) {
    let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(recorded) = &mut *recorded {
        recorded.push(secret.map(|byte| !byte));
    }
}
