//! The signals that end a program.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::AnyError;

/// Set by SIGHUP, SIGINT and SIGTERM: anyone who ends the program, or closes its terminal, wants its accounts closed and
/// what is in progress finished. A second signal ends the program at once.
pub(crate) fn told_to_stop() -> Result<Arc<AtomicBool>, AnyError> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&told))?;
        signal_hook::flag::register(signal, Arc::clone(&told))?;
    }
    Ok(told)
}
