//! The program's own messages: one line each on stderr, prefixed with its name.
//!
//! Everything goes through [`escape`](crate::render::escape), because causes quote file names and log text.
//! Where stderr is the systemd journal (`JOURNAL_STREAM`, systemd.exec(5)) a line begins with its priority
//! (sd-daemon(3)) instead of the name, which the journal has already. Readers of log never take these lines for
//! mail: the identifier `maillog` is nobody's that they know.
//!
//! Limits: what is said once stays said; only [`trouble`] counts repetitions.

mod repeat;

use crate::render::escape;
use repeat::Repeat;
use std::borrow::Cow;
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// How grave a message is: the priorities of syslog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// Something failed.
    Error = 3,
    /// Something may be amiss; work goes on.
    Warning = 4,
    /// Worth knowing: a beginning, an end, a change.
    Notice = 5,
    /// Detail.
    Info = 6,
}

/// Prints a message about what happened: `maillog: <text>`.
pub fn say(text: &str) {
    tell(Level::Info, text);
}

/// Prints a message of this gravity.
pub fn tell(level: Level, text: &str) {
    print(level, "maillog: ", text);
}

/// Prints a question without a line end: what is typed follows it.
pub fn ask(text: &str) {
    let text = escape::terminal(text);
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a hint below an error.
pub fn hint(text: &str) {
    print(Level::Error, "  ", &format!("hint: {text}"));
}

/// Prints an error of several lines as it is, each line escaped (a query error with its caret).
pub fn block(text: &str) {
    let text = text
        .strip_prefix("maillog: ")
        .filter(|_| is_journal())
        .unwrap_or(text);
    for part in text.lines() {
        print(Level::Error, "", part);
    }
}

/// Prints trouble that may come back every second: at once, then ever more rarely with a count.
///
/// `key` names the kind of trouble, for [`over`]; another text under the same key is said at once, unless the
/// texts differ each time.
pub fn trouble(key: &str, level: Level, text: &str) {
    let said = repeats().meet(key, text, Instant::now());
    if let Some(said) = said {
        tell(level, &said);
    }
}

/// Says that trouble has ended, when it was told; else nothing.
pub fn over(key: &str, text: &str) {
    let said = repeats().end(key, text);
    if let Some(said) = said {
        tell(Level::Notice, &said);
    }
}

/// What is being repeated in this process; there is one stderr.
fn repeats() -> std::sync::MutexGuard<'static, Repeat> {
    static REPEATS: Mutex<Repeat> = Mutex::new(Repeat::new());
    REPEATS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether stderr is connected to the systemd journal.
pub fn is_journal() -> bool {
    static IS_JOURNAL: OnceLock<bool> = OnceLock::new();
    *IS_JOURNAL.get_or_init(|| {
        let Ok(stat) = nix::sys::stat::fstat(std::io::stderr()) else {
            return false;
        };
        std::env::var("JOURNAL_STREAM").is_ok_and(|stream| names(&stream, stat.st_dev, stat.st_ino))
    })
}

/// Returns whether `DEVICE:INODE` is this file.
fn names(stream: &str, device: u64, inode: u64) -> bool {
    stream.split_once(':').is_some_and(|(dev, ino)| {
        dev.parse().ok() == Some(device) && ino.parse().ok() == Some(inode)
    })
}

/// A closed stderr is no reason to stop, so errors are ignored.
fn print(level: Level, prefix: &str, text: &str) {
    let text = without_numbers(text);
    let text = escape::terminal(&text);
    let line = if is_journal() {
        format!("<{}>{text}\n", level as u8)
    } else {
        format!("{prefix}{text}\n")
    };
    // One write: lines of several threads do not mix.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// Removes the numbers that Rust sets behind the system's errors: ` (os error 2)`.
fn without_numbers(text: &str) -> Cow<'_, str> {
    const MARK: &str = " (os error ";
    if !text.contains(MARK) {
        return text.into();
    }
    let mut pieces = text.split(MARK);
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        match rest.strip_prefix(')').filter(|_| rest.len() < piece.len()) {
            Some(rest) => plain.push_str(rest),
            None => plain.extend([MARK, piece]),
        }
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::{names, without_numbers};

    #[test]
    fn numbers_of_errors_are_not_told() {
        for (text, plain) in [
            ("x: No such file (os error 2)", "x: No such file"),
            ("a (os error 13): b (os error 2), c", "a: b, c"),
            ("no number (os error )", "no number (os error )"),
            ("cut (os error 2", "cut (os error 2"),
        ] {
            assert_eq!(without_numbers(text), plain);
        }
    }

    #[test]
    fn a_stream_is_told_by_device_and_inode() {
        assert!(names("8:1234", 8, 1234));
        for other in ["8:1235", "9:1234", "8", "", ":", "8:1234:5", "x:1234"] {
            assert!(!names(other, 8, 1234), "{other}");
        }
    }
}
