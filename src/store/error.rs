//! What can go wrong with the database, in words for people; DuckDB's own texts are sorted out here.
//!
//! Limits: DuckDB tells most causes by text only; its version is pinned and tests provoke each cause.

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The process that holds the database, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    /// Process id.
    pub pid: Option<u32>,
    /// Program.
    pub name: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.pid) {
            (Some(name), Some(pid)) => write!(f, "{name} (pid {pid})"),
            (None, Some(pid)) => write!(f, "pid {pid}"),
            (Some(name), None) => f.write_str(name),
            (None, None) => f.write_str("another process"),
        }
    }
}

/// Why the database could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory of a new database cannot be made.
    #[error("cannot create directory {}: {}", .path.display(), lower(.source))]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something that is not ours is in the way.
    #[error(transparent)]
    Refused(#[from] crate::nofollow::Refused),
    /// No permission, or a read-only file system.
    #[error("cannot {} {}: {cause}", if *.write { "write" } else { "read" }, .path.display())]
    Permission {
        /// The file.
        path: PathBuf,
        /// To write, or to read.
        write: bool,
        /// What the system said.
        cause: String,
    },
    /// No space left.
    #[error("no space left for {}", .path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// Not enough space beside the database for its copy.
    #[error("no space to rewrite {}: it needs {needed} MB, and {free} MB are free", .path.display())]
    NoRoom {
        /// The database.
        path: PathBuf,
        /// What the copy takes, in MB.
        needed: u64,
        /// What there is, in MB.
        free: u64,
    },
    /// The path names a directory.
    #[error("{} is a directory, not a database", .path.display())]
    IsDirectory {
        /// The path.
        path: PathBuf,
    },
    /// Nothing there to read.
    #[error("no database at {}", .path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a database of maillog", .path.display())]
    NotDatabase {
        /// The file.
        path: PathBuf,
    },
    /// A database of another kind.
    #[error("{} is an SQLite database, not one of maillog", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A DuckDB database that maillog did not make.
    #[error("{} is a DuckDB database, but not one of maillog", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer maillog made it.
    #[error("the database was made by a newer maillog: schema {found}, this one knows {known}")]
    FromFuture {
        /// Version of its schema.
        found: usize,
        /// Latest version that this program knows.
        known: usize,
    },
    /// An older maillog made it, and this process may not change it.
    #[error("the database was made by an older maillog: schema {found}, this one needs {known}")]
    Outdated {
        /// Version of its schema.
        found: usize,
        /// Version that this program needs.
        known: usize,
    },
    /// Its file format is newer than the DuckDB inside this program.
    #[error("{} was written by a newer DuckDB than the one in this maillog", .path.display())]
    NewerDuckDb {
        /// The file.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("{} is in use by {holder}", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Who has it open.
        holder: Holder,
    },
    /// The file or its WAL is damaged.
    #[error("{} is damaged: {cause}", .path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What DuckDB found.
        cause: String,
    },
    /// Reading or writing the file failed for another reason.
    #[error("cannot use {}: {cause}", .path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// What DuckDB or the system said.
        cause: String,
    },
    /// The text is not one `SELECT`.
    #[error("only a single SELECT is allowed here")]
    NotSelect,
    /// A function that does more than answer.
    #[error("the function {name} is not allowed here")]
    Function {
        /// Its name.
        name: String,
    },
    /// A function that can make more of a value than fits into memory, or its type.
    #[error("{name} is not allowed here: one {} could use up all memory", if .name.starts_with("the type ") { "value" } else { "call" })]
    Dear {
        /// Its name.
        name: String,
        /// What to write instead.
        instead: &'static str,
    },
    /// The statement is too deep.
    #[error("the statement is nested too deeply, or joins too much")]
    TooDeep,
    /// The statement is too long.
    #[error("the statement is too long")]
    TooLong,
    /// A column of the answer is of a type that cannot be shown.
    #[error("a column of the result has a type that maillog cannot show")]
    NotShown,
    /// What the service says, where it is none of the others.
    #[error("{message}")]
    Service {
        /// Its message.
        message: String,
        /// Its hint, empty for none.
        hint: String,
    },
    /// A statement failed.
    #[error("{message}")]
    Sql {
        /// The statement.
        statement: String,
        /// What DuckDB says about it, without the kind in front.
        message: String,
    },
    /// A query wanted more memory than it may have.
    #[error("the query needs more memory than it may use")]
    OutOfMemory,
    /// The query was stopped by [`super::Interrupt::interrupt`].
    #[error("interrupted")]
    Interrupted,
    /// A stored value is none that maillog writes.
    #[error("table {table} holds a value that maillog did not write: {cause}")]
    Data {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        cause: String,
    },
}

/// Who changes the database, for those who tried to.
pub const CHANGED_BY: &str = "only `maillog ingest` and `maillog prune` change the database";

impl Error {
    /// Returns what the user can do about it, when that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        Some(match self {
            Self::Full { .. } => {
                "free some space and run the command again; the last batch was not stored"
            }
            Self::NoRoom { .. } => {
                "free some space there, or prune more first: the copy holds only what is left"
            }
            Self::Missing { .. } => {
                "run `maillog ingest /var/log/mail.log*` first, or name the database with --db"
            }
            Self::NotDatabase { .. }
            | Self::Sqlite { .. }
            | Self::Foreign { .. }
            | Self::IsDirectory { .. } => "name another file with --db",
            Self::FromFuture { .. } | Self::NewerDuckDb { .. } => "install the newer maillog here",
            Self::Outdated { .. } => "run `maillog ingest` once as the owner of the database",
            Self::Permission { write: false, .. } => {
                "run the command as root, as the owner, or as a member of the file's group"
            }
            Self::Permission {
                write: true, cause, ..
            } if cause == "permission denied" => {
                "run the command as root or as the owner of the database"
            }
            Self::Corrupt { .. } => {
                "restore it from a backup, or move it away and import the logs again"
            }
            Self::NotSelect => CHANGED_BY,
            Self::Dear { instead, .. } => instead,
            Self::TooDeep => {
                "use several statements, put values in a list: x IN (...), or name parts with WITH"
            }
            Self::TooLong => "use several statements",
            Self::NotShown => {
                "cast it to text: x::VARCHAR, or cast all columns: SELECT COLUMNS(*)::VARCHAR"
            }
            Self::Function { .. } => "files, settings and other databases cannot be read here",
            Self::Refused(refused) if !refused.hint.is_empty() => &refused.hint,
            Self::Service { hint, .. } if !hint.is_empty() => hint,
            Self::OutOfMemory => "choose fewer rows or a shorter time range",
            _ => return None,
        })
    }

    /// Sorts an error of opening the file: DuckDB looks for an extension when it is one of SQLite.
    ///
    /// Here the file is not open, and may be looked at.
    pub(super) fn opening(path: &Path, error: &duckdb::Error) -> Self {
        let sorted = Self::sort(Some(path), "", error);
        let is_told = matches!(
            sorted,
            Self::Locked { .. } | Self::Permission { .. } | Self::Full { .. }
        );
        if !is_told && is_sqlite(path) {
            let path = path.to_path_buf();
            return Self::Sqlite { path };
        }
        sorted
    }

    /// Sorts an error of DuckDB by its text. `statement` is empty when the database was being opened.
    pub(super) fn sort(path: Option<&Path>, statement: &str, error: &duckdb::Error) -> Self {
        let text = error.to_string();
        let path = path.map_or_else(|| PathBuf::from(":memory:"), Path::to_path_buf);
        let found = TEXTS.iter().find(|(needle, _)| text.contains(needle));
        let kind = match found {
            Some((_, kind)) => *kind,
            None if statement.is_empty() => Kind::Io,
            None => Kind::Sql,
        };
        let cause = one_line(&text);
        match kind {
            Kind::Interrupted => Self::Interrupted,
            Kind::OutOfMemory => Self::OutOfMemory,
            Kind::Full => Self::Full { path },
            Kind::NotDatabase => Self::NotDatabase { path },
            Kind::NewerDuckDb => Self::NewerDuckDb { path },
            Kind::Corrupt => Self::Corrupt { path, cause },
            Kind::Io => Self::Io { path, cause },
            Kind::Locked => Self::Locked {
                path,
                holder: holder(&text),
            },
            Kind::Permission => Self::Permission {
                path,
                write: !text.contains("read-only mode"),
                cause: found.map_or("", |(needle, _)| needle).to_ascii_lowercase(),
            },
            Kind::TooDeep => Self::TooDeep,
            Kind::NotShown => Self::NotShown,
            Kind::Sql => Self::Sql {
                statement: statement.to_owned(),
                message: without_kind(&text).to_owned(),
            },
        }
    }
}

/// Tells whether a plain file begins as those of SQLite do.
fn is_sqlite(path: &Path) -> bool {
    const BEGINS: &[u8] = b"SQLite format 3\0";
    if !fs::metadata(path).is_ok_and(|data| data.is_file()) {
        return false;
    }
    let mut start = Vec::new();
    let read = fs::File::open(path)
        .and_then(|file| file.take(BEGINS.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == BEGINS
}

/// What a text of DuckDB is about.
#[derive(Clone, Copy)]
enum Kind {
    Interrupted,
    Full,
    OutOfMemory,
    Locked,
    NotDatabase,
    NewerDuckDb,
    Permission,
    Corrupt,
    Io,
    TooDeep,
    NotShown,
    Sql,
}

/// What DuckDB says of an expression that is too deep; its cure, a setting, cannot be changed here.
pub(super) const DEPTH: &str = "Max expression depth limit";

/// What DuckDB's texts are told by; the first that fits.
const TEXTS: [(&str, Kind); 22] = [
    ("INTERRUPT Error", Kind::Interrupted),
    (DEPTH, Kind::TooDeep),
    ("columns is not supported", Kind::NotShown),
    ("No space left on device", Kind::Full),
    ("Disk quota exceeded", Kind::Full),
    // Whatever the cause, memory too: nothing goes before the database is opened again.
    ("FATAL Error", Kind::Io),
    ("database has been invalidated", Kind::Io),
    ("Out of Memory Error", Kind::OutOfMemory),
    // The appender tells its errors without their kind.
    ("Increasing the memory limit", Kind::OutOfMemory),
    ("Could not set lock on file", Kind::Locked),
    ("not a valid DuckDB database file", Kind::NotDatabase),
    (
        "database file with storage version number",
        Kind::NewerDuckDb,
    ),
    ("Permission denied", Kind::Permission),
    ("Read-only file system", Kind::Permission),
    ("Operation not permitted", Kind::Permission),
    ("Corrupt", Kind::Corrupt),
    ("corrupt", Kind::Corrupt),
    ("checksum", Kind::Corrupt),
    ("replaying WAL", Kind::Corrupt),
    ("Serialization Error", Kind::Corrupt),
    ("Could not read enough bytes", Kind::Corrupt),
    ("IO Error", Kind::Io),
];

/// Returns the text of an error of the system without its number, as people write it.
fn lower(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text
        .split_once(" (os error")
        .map_or(text.as_str(), |(cause, _)| cause);
    text.to_ascii_lowercase()
}

/// Returns the first line of a DuckDB text, without the kind of error in front.
fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    without_kind(line).trim_end_matches('.').to_owned()
}

/// Takes `Binder Error: ` from the front.
fn without_kind(text: &str) -> &str {
    match text.split_once(" Error: ") {
        Some((kind, rest)) if kind.len() < 30 => rest,
        _ => text,
    }
}

/// Reads `Conflicting lock is held in /usr/bin/maillog (PID 12) by user x`.
fn holder(text: &str) -> Holder {
    let Some((_, rest)) = text.split_once("lock is held in ") else {
        return Holder::default();
    };
    let Some((before, after)) = rest.split_once("PID ") else {
        return Holder::default();
    };
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    let program = before
        .trim_end_matches('(')
        .trim()
        .trim_end_matches(" (deleted)");
    let name = program.rsplit('/').next().unwrap_or_default();
    Holder {
        pid: digits.parse().ok(),
        name: (!name.is_empty()).then(|| name.to_owned()),
    }
}
