//! Canned queries: the files of queries/ and those of users; header, parameters.
//!
//! A file is a header of comments and one SELECT. The header ends at the first line that is no comment:
//!
//! ```text
//! -- summary: one line for the list                  -- bar: column            a bar beside it on a terminal
//! -- group: heading in the list                      -- spark: column          its list of numbers as a sparkline
//! -- title: heading in `maillog summary`             -- param: name type default -- help
//! --
//! -- Anything else is the help of the query.
//! ```
//! Types of parameters are those of [`Kind`]; `!` behind the type says that it must be given. In the statement a
//! parameter is `$name`; it becomes a bound parameter, never text.
//!
//! Limits: a name in a comment or between quotes is no parameter; `$tag$` quoting is not known here.

mod file;
mod files;
pub mod folder;
mod names;
#[cfg(test)]
mod tests;

use crate::model::table::Param;

/// A canned query as its file tells it.
///
/// Texts live as long as the program: names become subcommands and options, which clap keeps by reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canned {
    /// File name without `.sql`.
    pub name: &'static str,
    /// One line for the list.
    pub summary: &'static str,
    /// Heading in the list; none for [`OWN`].
    pub group: Option<&'static str>,
    /// Heading in the summary report.
    pub title: Option<&'static str>,
    /// What else the header says, a line each.
    pub help: Vec<&'static str>,
    /// Parameters in the order of the header.
    pub params: Vec<Declared>,
    /// Columns with a bar beside them.
    pub bars: Vec<&'static str>,
    /// Columns with a list of numbers to be drawn.
    pub sparks: Vec<&'static str>,
    /// The statement with `$1`, `$2`, ... in place of names; the parameters' order tells which is which.
    pub sql: String,
    /// The whole file.
    pub text: &'static str,
}

/// A declared parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Name, as in `$name` and `--name`.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Default as written; empty for none.
    pub default: &'static str,
    /// Must be given.
    pub is_required: bool,
    /// What it does, as the file says; empty for names that mean the same everywhere.
    pub help: &'static str,
}

impl Declared {
    /// Returns what the parameter does; empty when nobody says.
    #[must_use]
    pub fn meaning(&self) -> &'static str {
        match self.name {
            _ if !self.help.is_empty() => self.help,
            "since" => "Start of the time range",
            "until" => "End of the time range",
            "at" => "Show the state at this time",
            "top" => "Show at most this many rows",
            "domain" => "Show only this domain",
            "host" => "Show only the log of this host",
            "instance" => "Show only this Postfix instance (syslog name)",
            "timezone" => "Time zone of days and hours",
            _ => "",
        }
    }
}

/// Types of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A point in time, in the words that `find` understands; `all` is before everything.
    Time,
    /// A whole number, not negative.
    Count,
    /// A number.
    Number,
    /// Text; empty without a default.
    Text,
    /// A mail domain, bound as `@example.com` for `ends_with`; empty without a default, which fits all addresses.
    Domain,
    /// A time zone, bound as a name for `in_zone`; the user's without a default.
    Zone,
}

/// Where a query comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The program.
    Program,
    /// A file of the user or the administrator.
    File(std::path::PathBuf),
}

/// A name in the list, and the query or what is wrong with its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What to type.
    pub name: &'static str,
    /// Where it comes from.
    pub origin: Origin,
    /// The query, or the fault of its file in one line.
    pub query: Result<Canned, String>,
}

/// Heading of queries whose file names none.
pub const OWN: &str = "own";

/// The groups of the program's queries, in the order of the list.
pub const GROUPS: [&str; 8] = [
    "traffic",
    "senders and recipients",
    "delivery",
    "queue",
    "refused",
    "logins",
    "encryption",
    "health",
];

/// Returns the program's queries by name.
///
/// # Errors
/// What is wrong with the header of one; the tests see to it that none is.
pub fn all() -> Result<Vec<Canned>, String> {
    files::FILES
        .iter()
        .map(|(name, text)| file::read(name, text).map_err(|why| format!("{name}: {why}")))
        .collect()
}

/// Returns everything that can be typed, by name: of two files with one name that of the earlier folder counts, and
/// any file before the program's own query.
pub fn listed(folders: &[std::path::PathBuf]) -> Vec<Listed> {
    let mut list = folder::read(folders);
    for (name, text) in files::FILES {
        if !list.iter().any(|known| known.name == *name) {
            list.push(Listed {
                name,
                origin: Origin::Program,
                query: file::read(name, text),
            });
        }
    }
    list.sort_by_key(|listed| listed.name);
    list
}

impl Canned {
    /// Returns the values to bind, in the statement's order, from what `value` gives for each parameter.
    ///
    /// # Errors
    /// The first error of `value`.
    pub fn bind<E>(&self, value: impl Fn(&Declared) -> Result<Param, E>) -> Result<Vec<Param>, E> {
        self.params.iter().map(value).collect()
    }

    /// Returns the parameter of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&Declared> {
        self.params.iter().find(|param| param.name == name)
    }
}
