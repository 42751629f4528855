//! Says what might have been meant where nothing was found, each with the command to type.

use crate::ask::near_misses::{MOST_COUNTED, Meant, NearMiss, NearMisses};
use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use crate::render::escape;
use std::ffi::OsString;

/// What the user typed beside the query: where was searched.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// Start of the time range.
    pub since: Option<&'a String>,
    /// Its end.
    pub until: Option<&'a String>,
    /// All that is stored.
    pub all: bool,
    /// These files.
    pub files: &'a [OsString],
}

impl Typed<'_> {
    /// Returns the options again.
    fn again(self) -> String {
        let mut options = String::new();
        for (option, value) in [(" -S ", self.since), (" -U ", self.until)] {
            if let Some(value) = value {
                options.push_str(option);
                options.push_str(&typed(value));
            }
        }
        if self.all {
            options.push_str(" --all");
        }
        for file in self.files {
            options.push_str(&format!(" --file {}", typed(&file.to_string_lossy())));
        }
        options
    }
}

/// Returns the lines to say.
#[must_use]
pub fn lines(misses: &NearMisses, options: Typed<'_>, zone: Zone) -> Vec<String> {
    let same = options.again();
    let mut lines: Vec<String> = misses.list.iter().map(|miss| line(miss, &same)).collect();
    if let Some(other) = misses.other_times {
        let whole = |t: Time| zone.show(t.plus(-t.0.rem_euclid(SECOND)));
        lines.push(format!(
            "  at other times ({}), from {} to {}: use --all instead of a time",
            many(other.count),
            whole(other.first),
            whole(other.last)
        ));
    }
    if !lines.is_empty() {
        lines.insert(0, "near misses:".to_owned());
    }
    if !misses.is_whole {
        lines.push(
            "the search for near misses stopped after a second: there may be more (use --all for other times)"
                .to_owned(),
        );
    }
    lines
}

fn line(miss: &NearMiss, same: &str) -> String {
    let count = miss.count;
    let what = match &miss.meant {
        Meant::Side(what) => format!("as {what} ({count})"),
        Meant::Carried => {
            format!("as part of the address of a mailing list or bounce ({count})")
        }
        Meant::Similar(name) => format!("{} ({count})", escape::terminal(name)),
        Meant::Reading(what) => format!("as {what} ({})", many(count)),
    };
    format!("  {what}: maillog find {}{same}", typed(&miss.query))
}

fn many(n: i64) -> String {
    if n >= MOST_COUNTED {
        format!("{MOST_COUNTED} or more")
    } else {
        n.to_string()
    }
}

/// Returns the term as it is typed in a shell.
fn typed(term: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._+:-=/%".contains(c);
    let shown = escape::terminal(term);
    if shown.chars().all(is_plain) {
        shown.into_owned()
    } else {
        format!("'{}'", shown.replace('\'', "'\\''"))
    }
}
