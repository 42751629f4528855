//! Repeat: the notices with which syslog daemons replace copies of a line (grammar 2.10).
//!
//! Promises: the copies come out as the line they repeat, with their number. For `last message repeated`, the
//! latest line of each of the last [`HOSTS`] hosts is remembered, also across an interruption.

use serde::{Deserialize, Serialize};

/// Hosts whose latest line is remembered.
const HOSTS: usize = 8;
/// How much of a line is remembered; longer than any that Postfix writes.
const TEXT_BYTES: usize = 4096;

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice<'a> {
    /// rsyslog: so many further copies of this text.
    Quoted(u32, &'a str),
    /// sysklogd, syslog-ng, BSD: so many further copies of the line before.
    Last(u32),
}

/// Reads `message repeated 2 times: [ text]` or `last message repeated 3 times`.
pub(super) fn notice(text: &str) -> Option<Notice<'_>> {
    match text.as_bytes().first()? {
        b'm' => {
            let rest = text.strip_prefix("message repeated ")?;
            let (times, quoted) = rest.split_once(" times: [")?;
            let quoted = quoted.strip_prefix(' ').unwrap_or(quoted);
            // A line that was cut has lost its bracket.
            let quoted = quoted.strip_suffix(']').unwrap_or(quoted);
            Some(Notice::Quoted(times.parse().ok()?, quoted))
        }
        b'l' => {
            let rest = text.strip_prefix("last message repeated ")?;
            let (times, end) = rest.split_once(' ')?;
            matches!(end, "time" | "times").then_some(())?;
            Some(Notice::Last(times.parse().ok()?))
        }
        _ => None,
    }
}

/// The latest line of each of a few hosts, the most recently heard host last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Recent {
    lines: Vec<Line>,
}

/// A line to be repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) host: String,
    pub(super) ident: String,
    pub(super) pid: Option<u32>,
    pub(super) text: String,
}

impl Recent {
    /// Remembers a line in the place of its host's earlier one.
    pub(super) fn keep(&mut self, host: &str, ident: &str, pid: Option<u32>, text: &str) {
        self.bring_to_end(host);
        let Some(line) = self.lines.last_mut() else {
            return;
        };
        replace(&mut line.ident, ident);
        line.pid = pid;
        let end = text.floor_char_boundary(TEXT_BYTES);
        replace(&mut line.text, text.get(..end).unwrap_or(""));
    }

    /// Returns the latest line of a host; of the host heard last where the notice names none.
    pub(super) fn last(&mut self, host: &str) -> Option<Line> {
        if self.lines.iter().any(|line| line.host == host) {
            self.bring_to_end(host);
        } else if !host.is_empty() {
            return None;
        }
        self.lines.last().cloned()
    }

    fn bring_to_end(&mut self, host: &str) {
        if self.lines.last().is_some_and(|line| line.host == host) {
            return;
        }
        let known = self.lines.iter().position(|line| line.host == host);
        if known.is_none() && self.lines.len() < HOSTS {
            self.lines.push(Line::default());
        } else if let Some(last) = self.lines.len().checked_sub(1) {
            // Swapping is cheap; which of many hosts is forgotten does not matter.
            self.lines.swap(known.unwrap_or(0), last);
        }
        if known.is_none()
            && let Some(line) = self.lines.last_mut()
        {
            replace(&mut line.host, host);
        }
    }
}

fn replace(target: &mut String, text: &str) {
    target.clear();
    target.push_str(text);
}
