//! Log files in the form of pyzor's: what happened, and a line for each request.

use crate::notice::{self, Level};
use crate::render::escape;
use crate::signature::answer::Use;
use crate::signature::client::quoted;
use anyhow::{Context, Result};
use chrono::Local;
use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

fn append(path: &Path) -> Result<File> {
    let opened = File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    opened.with_context(|| format!("cannot write {}", path.display()))
}

/// Returns a line as Python's `logging` writes it for pyzor.
fn line(level: &str, text: &str) -> String {
    let time = Local::now().format("%Y-%m-%d %H:%M:%S,%3f");
    format!("{time} ({}) {level} {text}\n", std::process::id())
}

/// Where messages go.
pub(super) struct Log {
    file: Option<File>,
    /// Packets are shown, too.
    pub(super) is_debug: bool,
}

impl Log {
    /// Opens the file; without one messages go to standard error.
    pub(super) fn open(path: Option<&Path>, is_debug: bool) -> Result<Self> {
        let file = path.map(append).transpose()?;
        Ok(Self { file, is_debug })
    }

    /// Writes a message.
    pub(super) fn tell(&self, level: Level, text: &str) {
        let name = match level {
            Level::Error => "ERROR",
            Level::Warning => "WARNING",
            Level::Notice | Level::Info => "INFO",
        };
        match &self.file {
            None => notice::tell(level, text),
            Some(file) => write(file, &line(name, &escape::terminal(text))),
        }
    }

    /// Writes what the output says, too: into the file only.
    pub(super) fn note(&self, text: &str) {
        if let Some(file) = &self.file {
            write(file, &line("ERROR", &escape::terminal(text)));
        }
    }

    /// Writes what is only of use to find a fault, if it is asked for: to standard error, too.
    pub(super) fn debug(&self, text: impl FnOnce() -> String) {
        if self.is_debug {
            let line = line("DEBUG", &escape::terminal(&text()));
            if let Some(file) = &self.file {
                write(file, &line);
            }
            notice::tell(Level::Info, line.trim_end());
        }
    }
}

/// Writes a line. A full disk must not stop the program.
fn write(mut file: &File, line: &str) {
    let _ = file.write_all(line.as_bytes());
}

/// Where a line for each request goes.
pub(super) struct UsageLog(Option<File>);

impl UsageLog {
    /// Opens the file; without one there are no lines.
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        Ok(Self(path.map(append).transpose()?))
    }

    /// Writes the line of a request.
    pub(super) fn add(&self, address: IpAddr, used: &Use) {
        let Some(file) = &self.0 else { return };
        if used.code != 200 {
            let text = format!("{}: {}", used.code, used.diagnosis);
            return write(file, &line("ERROR", &text));
        }
        let digests: Vec<String> = used.digests.iter().map(|d| quoted(d)).collect();
        let digests = match &digests[..] {
            [] => "None".to_owned(),
            list => format!("[{}]", list.join(", ")),
        };
        let user = escape::terminal(used.user.as_deref().unwrap_or_default());
        let operation = used.operation.unwrap_or_default();
        let text = format!("{user},{address},{operation},{digests},200");
        write(file, &line("INFO", &text));
    }
}
