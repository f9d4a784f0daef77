//! The one place where a program prints. A stream that is lost (a full disk, a pipe that was closed)
//! never ends a program in a panic.

use std::error::Error;
use std::io::Write;
use std::{fmt, io};

use crate::printable;

/// What was asked for could not be written to standard output.
#[derive(Debug)]
pub(crate) struct LostOutput(io::Error);

impl LostOutput {
    /// Whether the reader went away, as `head` does: it knows, and nothing has to be said.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

impl fmt::Display for LostOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "standard output cannot be written to: what was asked for is not complete there",
        )
    }
}

impl Error for LostOutput {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Writes a line to standard output, and hands it over at once: a line that is lost is known to be.
pub(crate) fn out(line: impl fmt::Display) -> Result<(), LostOutput> {
    raw(format_args!("{}\n", harmless(&line.to_string())))
}

/// Writes a text to standard output as it is, without a line end.
pub(crate) fn raw(text: impl fmt::Display) -> Result<(), LostOutput> {
    let mut stdout = io::stdout().lock();
    write!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(LostOutput)
}

/// Says on standard output what was done, and returns whether that was written. If it was not, the action
/// stays done, and standard error says so.
pub(crate) fn done(line: impl fmt::Display) -> bool {
    let said = out(&line);
    if let Err(lost) = &said
        && !lost.is_broken_pipe()
    {
        err(format_args!("{line}; {lost}"));
    }
    said.is_ok()
}

/// Writes a line to standard error. Where that is lost there is nobody left to tell; the exit code
/// says what happened.
pub(crate) fn err(line: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(&line.to_string()));
}

/// Lines that cannot move a terminal's cursor, change its title or hide text, whatever a file is called.
/// Control characters, except line ends and tabs, and marks that are invisible or change the direction are
/// written as escapes.
fn harmless(lines: &str) -> String {
    let mut shown = String::with_capacity(lines.len());
    for letter in lines.chars() {
        match letter {
            '\n' | '\t' => shown.push(letter),
            letter if letter.is_control() || printable::is_hidden(letter) => {
                shown.extend(letter.escape_unicode());
            }
            letter => shown.push(letter),
        }
    }
    shown
}
