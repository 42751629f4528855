//! Lines: what shows while an input is read, counted line by line; a few comparisons each, no allocation.
//!
//! Limits: the order is that of each host, for their clocks differ; of more hosts than [`HOSTS`] only where lines of one are
//! near each other.

use super::{Check, Finding, odd};
use crate::model::entry::Entry;
use crate::model::event::Event;
use crate::model::time::{DAY, HOUR, SECOND, Time};

/// Neighbours that are so far apart have a wrong year; a server that was off so long is rare.
const YEAR: i64 = 330 * DAY;
/// Stamps of whole seconds, and daemons that write at the same time, are never so far apart.
const STEP: i64 = 2 * SECOND;
/// Files of a rotated set are hours apart; summer time is one.
const BACK: i64 = 2 * HOUR;

/// Hosts that are known at a time.
const HOSTS: usize = 16;
/// So many lines of other programs are all looked at,
const ALL_OF: u64 = 10_000;
/// then one in so many.
const ONE_IN: u64 = 16;

/// Counts of one input.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    all: u64,
    understood: u64,
    /// Lines of other programs, of which not all are looked at.
    foreign: u64,
    /// Lines of Postfix.
    postfix: u64,
    /// Those of them where nothing stands between stamp and tag.
    bare: u64,
    /// Lines with another one of the same host before.
    neighbours: u64,
    hosts: Vec<Host>,
    /// Place of the host that the last line has.
    at: usize,
    found: [Found; 9],
}

/// What is known of a host.
#[derive(Debug, Clone, Default)]
struct Host {
    name: String,
    is_odd: bool,
    last: Option<Time>,
}

/// Findings under construction.
#[derive(Debug, Clone, Default)]
struct Found {
    count: u64,
    sample: String,
}

impl Found {
    fn add(&mut self, count: u64, sample: &str) {
        if self.count == 0 {
            super::shortened(sample).clone_into(&mut self.sample);
        }
        self.count += count;
    }
}

/// Places in [`Lines::found`].
const KINDS: [Check; 9] = [
    Check::NoTime,
    Check::NoHost,
    Check::OddHost,
    Check::YearJump,
    Check::Back,
    Check::Order,
    Check::Future,
    Check::Unknown,
    Check::Tag,
];

impl Lines {
    /// Looks at a record that was read at `now`.
    pub fn see(&mut self, entry: &Entry<'_>, event: &Event<'_>, now: Time) {
        self.all += 1;
        let is_postfix = match event {
            Event::Foreign => self.disguised(entry),
            Event::Other { .. } => {
                self.note(Check::Unknown, entry.raw);
                true
            }
            _ => {
                self.understood += 1;
                true
            }
        };
        self.postfix += u64::from(is_postfix);
        let Some(time) = entry.time else {
            if is_postfix {
                self.note(Check::NoTime, entry.raw);
            }
            return;
        };
        if entry.host.is_empty() && is_postfix {
            self.bare += u64::from(is_bare(entry));
            self.note(Check::NoHost, entry.raw);
        }
        if time.since(now) > DAY {
            self.note(Check::Future, entry.raw);
        }
        self.order(entry, time);
    }

    /// Takes in a line that another source has told.
    pub fn known(&mut self) {
        self.all += 1;
        self.understood += 1;
    }

    /// Tells whether a line of another program, or of none, is one of Postfix's with another tag.
    fn disguised(&mut self, entry: &Entry<'_>) -> bool {
        self.foreign += 1;
        // Other programs may fill most of a log: a share is known from some of their lines.
        let stands_for = if self.foreign > ALL_OF { ONE_IN } else { 1 };
        if !self.foreign.is_multiple_of(stands_for) || !reads_like_postfix(entry.raw) {
            return false;
        }
        if entry.time.is_some() {
            self.found_mut(Check::Tag).add(stands_for, entry.raw);
        }
        true
    }

    fn order(&mut self, entry: &Entry<'_>, time: Time) {
        let host = self.host(entry.host);
        let before = host.last.replace(time);
        if host.is_odd {
            self.note(Check::OddHost, entry.raw);
        }
        let Some(before) = before else { return };
        self.neighbours += 1;
        let apart = time.since(before);
        // The stamp of a repeat notice is that of the last copy.
        if apart > -STEP && apart < YEAR || entry.repeated > 0 {
            return;
        }
        if apart.abs() >= YEAR {
            return self.note(Check::YearJump, entry.raw);
        }
        self.note(Check::Order, entry.raw);
        if apart < -BACK {
            self.note(Check::Back, entry.raw);
        }
    }

    /// Returns the host of that name.
    #[expect(clippy::indexing_slicing, reason = "the index was just found or made")]
    fn host(&mut self, name: &str) -> &mut Host {
        if self.hosts.get(self.at).is_none_or(|host| host.name != name) {
            let found = self.hosts.iter().position(|host| host.name == name);
            self.at = found.unwrap_or_else(|| {
                let host = Host {
                    name: name.to_owned(),
                    is_odd: odd(name).is_some(),
                    last: None,
                };
                if self.hosts.len() < HOSTS {
                    self.hosts.push(host);
                    return self.hosts.len() - 1;
                }
                let next = (self.at + 1) % HOSTS;
                self.hosts[next] = host;
                next
            });
        }
        &mut self.hosts[self.at]
    }

    #[cold]
    fn note(&mut self, check: Check, line: &str) {
        self.found_mut(check).add(1, line);
    }

    #[expect(clippy::indexing_slicing, reason = "every place exists")]
    fn found_mut(&mut self, check: Check) -> &mut Found {
        let place = KINDS.iter().position(|kind| *kind == check);
        &mut self.found[place.unwrap_or_default()]
    }

    /// Returns what looks wrong of the input of that name.
    #[must_use]
    pub fn findings(&self, source: &str) -> Vec<Finding> {
        let mut all: Vec<Finding> = if self.all > 0 && self.understood == 0 {
            Finding::judge(Check::NoLine, self.all, self.all, "")
                .into_iter()
                .collect()
        } else {
            Vec::new()
        };
        for (check, found) in KINDS.into_iter().zip(&self.found) {
            let of = match check {
                Check::YearJump | Check::Back | Check::Order => self.neighbours,
                Check::OddHost | Check::Future => self.all,
                _ => self.postfix,
            };
            // Where no line names a host, the form has none.
            if check != Check::NoHost || self.bare < self.postfix {
                all.extend(Finding::judge(check, found.count, of, &found.sample));
            }
        }
        // Of lines that are mixed all over, single steps say nothing.
        if all.iter().any(|finding| finding.check == Check::Order) {
            all.retain(|finding| finding.check != Check::Back);
        }
        for finding in &mut all {
            finding.source = Some(source.to_owned());
            finding.command = command(finding.check, source);
        }
        all
    }
}

/// Tells whether nothing stands between the stamp of a line and the tag.
fn is_bare(entry: &Entry<'_>) -> bool {
    let before = entry
        .raw
        .split_once(entry.ident)
        .map_or("", |(before, _)| before);
    let is_time =
        |word: &&str| word.contains(':') && word.bytes().filter(u8::is_ascii_digit).count() >= 4;
    let mut words = before.split_whitespace().rev();
    // A time that is not the only one stands in the place of the host.
    words.next().as_ref().is_some_and(is_time) && !words.any(|word| is_time(&word))
}

/// Returns what shows more of a finding about lines.
fn command(check: Check, source: &str) -> String {
    let unknown = if check == Check::Unknown {
        "--unknown "
    } else {
        ""
    };
    format!("maillog parse {unknown}{}", super::quoted(source))
}

/// Tells whether a line has what only Postfix writes: its tag behind something else, or the text of a record.
fn reads_like_postfix(line: &str) -> bool {
    let has = |part: &str| memchr::memmem::find(line.as_bytes(), part.as_bytes()).is_some();
    has_tag(line)
        || has(", dsn=") && has(", status=") && has(", relay=")
        || has(" NOQUEUE: reject: ") && has(" proto=")
        || has(", size=") && has(", nrcpt=") && has(" from=<")
        || line.trim_end().ends_with(": removed")
}

/// Finds `postfix/smtpd[1234]: `.
fn has_tag(line: &str) -> bool {
    let Some(at) = memchr::memmem::find(line.as_bytes(), b"postfix/") else {
        return false;
    };
    let rest = line.get(at..).unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_');
    let rest = rest.trim_start_matches(is_name);
    let pid = rest.strip_prefix('[').unwrap_or_default();
    let rest = pid.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < pid.len() && rest.starts_with("]: ")
}
