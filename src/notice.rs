//! The program's own messages: one line each on stderr, prefixed with its name.
//!
//! Everything goes through [`escape`](crate::render::escape), because causes quote file names and log text.

use crate::render::escape;
use std::io::Write;

/// Prints a message about what happened: `maillog: <text>`.
pub fn say(text: &str) {
    line(&format!("maillog: {text}"));
}

/// Prints a hint below a message.
pub fn hint(text: &str) {
    line(&format!("  hint: {text}"));
}

/// Prints text of several lines as it is, each line escaped (a query error with its caret).
pub fn block(text: &str) {
    for part in text.lines() {
        line(part);
    }
}

/// A closed stderr is no reason to stop, so errors are ignored.
fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", escape::terminal(text));
}
