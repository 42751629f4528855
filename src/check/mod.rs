//! Check: what looks wrong in log that was read, one finding a kind, with the command that shows more.
//!
//! Kinds that nobody has thought of show here first: a line that was dated, placed or put together wrongly breaks one of
//! a few things that hold in every log of Postfix. Thresholds are shares with a least number: a log has odd lines, and a
//! false alarm costs as much trust as silence. Each limit has its reason beside it.
//!
//! | file | duty |
//! |---|---|
//! | `lines` | what shows while lines are read: time, order, tags |
//! | `host` | names that cannot be those of hosts |
//! | `ledger` | what shows in the counts of what was read |
//! | `rows` | what shows in the tables: statements and what their answers mean |

mod host;
pub mod ledger;
mod lines;
pub mod rows;
#[cfg(test)]
mod tests;

pub use host::{Odd, odd};
pub use lines::Lines;

use serde::{Deserialize, Serialize};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// No line of an input was understood.
    NoLine,
    /// Lines without a time.
    NoTime,
    /// Lines of Postfix without a host.
    NoHost,
    /// Hosts that are a severity, a month, a number.
    OddHost,
    /// Neighbouring lines that are a year apart.
    YearJump,
    /// Lines that are older than the one before by hours.
    Back,
    /// Lines that are older than the one before.
    Order,
    /// Lines dated in the future.
    Future,
    /// Lines of Postfix that no rule knows.
    Unknown,
    /// Lines of other programs that read like Postfix's.
    Tag,
    /// Messages that stay open though the log goes on.
    Open,
    /// Messages of which every recipient is done, and which did not leave the queue.
    Done,
    /// Messages of which one line alone is known.
    Stray,
    /// Deliveries whose delay contradicts the arrival.
    Delay,
    /// Delivery records that are there twice.
    Twice,
    /// Refusals that are there twice.
    RefusedTwice,
    /// Messages that are there twice, under one queue id.
    MessageTwice,
    /// Mail that reached its recipient twice within seconds, in messages that nothing links.
    Unlinked,
}

/// From where on something is worth a word.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limit {
    /// Fewer than these are accidents.
    least: u64,
    /// A smaller share of what was looked at is, too.
    share: f64,
}

const fn limit(least: u64, share: f64) -> Limit {
    Limit { least, share }
}

impl Check {
    /// All, in the order in which they are told: what makes the others wrong comes first.
    pub const ALL: [Self; 18] = [
        Self::NoLine,
        Self::NoTime,
        Self::NoHost,
        Self::OddHost,
        Self::YearJump,
        Self::Back,
        Self::Order,
        Self::Future,
        Self::Unknown,
        Self::Tag,
        Self::Open,
        Self::Done,
        Self::Stray,
        Self::Delay,
        Self::Twice,
        Self::RefusedTwice,
        Self::MessageTwice,
        Self::Unlinked,
    ];

    /// Returns the name: what `--show` takes and JSON has.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoLine => "no-line",
            Self::NoTime => "no-time",
            Self::NoHost => "no-host",
            Self::OddHost => "odd-host",
            Self::YearJump => "year-jump",
            Self::Back => "back",
            Self::Order => "order",
            Self::Future => "future",
            Self::Unknown => "unknown",
            Self::Tag => "tag",
            Self::Open => "open",
            Self::Done => "done",
            Self::Stray => "stray",
            Self::Delay => "delay",
            Self::Twice => "twice",
            Self::RefusedTwice => "refused-twice",
            Self::MessageTwice => "message-twice",
            Self::Unlinked => "unlinked",
        }
    }

    #[expect(
        clippy::match_same_arms,
        reason = "each number has a reason of its own"
    )]
    const fn limit(self) -> Limit {
        match self {
            // Each of these is wrong whatever the rest of the log is like.
            Self::NoLine | Self::YearJump | Self::Back => limit(1, 0.0),
            // Of lines that read like Postfix's; others (a trace in several lines) are nobody's.
            Self::NoTime => limit(1, 0.0005),
            // A collector loses a header now and then.
            Self::NoHost => limit(2, 0.01),
            Self::OddHost => limit(1, 0.001),
            // Daemons write at the same time, and a line may overtake another one by a moment, not by seconds.
            Self::Order => limit(5, 0.02),
            Self::Future => limit(1, 0.0001),
            // Of the lines of real servers none to 3 in 1,000 are unknown.
            Self::Unknown => limit(3, 0.01),
            // A policy daemon or a filter that repeats a line of Postfix says so of few.
            Self::Tag => limit(3, 0.01),
            // Messages are lost with a crash, or a line with its collector.
            Self::Open => limit(3, 0.02),
            Self::Done => limit(3, 0.05),
            // Of the tests' logs and those of others none to 4 in 1,000.
            Self::Stray => limit(3, 0.02),
            // A clock that is set moves the mail of a moment.
            Self::Delay => limit(2, 0.002),
            Self::Twice | Self::MessageTwice => limit(2, 0.002),
            // A client that repeats a recipient is refused twice.
            Self::RefusedTwice => limit(10, 0.2),
            // Members of a list to whom a mail went as well.
            Self::Unlinked => limit(3, 0.05),
        }
    }

    /// Returns what was found if it is worth a word.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    fn judge(self, count: u64, of: u64) -> bool {
        let limit = self.limit();
        count >= limit.least && count as f64 >= limit.share * of as f64
    }

    /// Says what was found, of what.
    fn says(self, count: u64, of: u64) -> String {
        let share = format!("{count} of {of}");
        let one = |one: &str, many: &str| format!("{share} {}", if of == 1 { one } else { many });
        let lines = |rest: &str| format!("{} {rest}", one("line", "lines"));
        let messages = |rest: &str| format!("{} {rest}", one("message", "messages"));
        match self {
            Self::NoLine => format!("not one line was understood, of {of}"),
            Self::NoTime => lines("have no time"),
            Self::NoHost => lines("name no host"),
            Self::OddHost => lines("name a host that is not one"),
            Self::YearJump => lines("are about a year before or after the line above"),
            Self::Back => lines("are hours or days older than the line above"),
            Self::Order => lines("are older than the line above"),
            Self::Future => lines("are dated in the future"),
            Self::Unknown => format!("{share} lines of Postfix are not understood"),
            Self::Tag => lines("look like lines of Postfix but lack its tag"),
            Self::Open => messages("never end although the log continues"),
            Self::Done => messages("have no recipient left and did not leave the queue"),
            Self::Stray => messages("are known by one line only"),
            Self::Delay => {
                format!("{share} deliveries have a delay that contradicts the arrival")
            }
            Self::Twice => format!("{share} deliveries are recorded twice"),
            Self::RefusedTwice => format!("{share} refusals are recorded twice"),
            Self::MessageTwice => messages("are stored twice with the same queue id"),
            Self::Unlinked => format!(
                "{share} deliveries repeat one of the same mail within a minute, and nothing links the two"
            ),
        }
    }

    /// Returns what mostly is the reason, or what to do.
    const fn hint(self) -> &'static str {
        match self {
            Self::NoLine => "is it the log of Postfix?",
            Self::NoTime => "they are not stored",
            Self::NoHost => "maillog cannot distinguish hosts",
            Self::OddHost => "maillog does not know this log format",
            Self::YearJump => "see --year",
            Self::Back => "give maillog the files themselves: it puts them in order",
            Self::Order => "parts in the wrong order, or two logs in one",
            Self::Future => "see --year and --timezone",
            Self::Unknown => "answers about their mail are wrong",
            Self::Tag => "they are not counted as mail",
            Self::Open | Self::Done => "lines are missing",
            Self::Stray => "lines are missing, or their tag or id is changed",
            Self::Delay => "wrong zone, clock or order",
            Self::Twice | Self::RefusedTwice | Self::MessageTwice => {
                "two sources with the same log?"
            }
            Self::Unlinked => "a filter or second hop that was not recognised?",
        }
    }
}

/// Something that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub check: Check,
    /// The input that it is about; none where it is about the tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How many.
    pub count: u64,
    /// Of how many that were looked at.
    pub of: u64,
    /// The first of them.
    pub sample: String,
    /// What to type to see more.
    pub command: String,
}

/// Bytes of a sample that are shown.
const SAMPLE: usize = 100;

impl Finding {
    /// Returns the finding, unless it is too rare to be one.
    fn judge(check: Check, count: u64, of: u64, sample: &str) -> Option<Self> {
        check.judge(count, of).then(|| Self {
            check,
            source: None,
            count,
            of,
            sample: shortened(sample),
            command: format!("maillog doctor --show {}", check.name()),
        })
    }

    /// Says it in one line. Nothing in it is fit for a terminal yet.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(source) = &self.source {
            text.push_str(source);
            text.push_str(": ");
        }
        text.push_str(&self.check.says(self.count, self.of));
        if !self.sample.is_empty() {
            text.push_str(&format!(" (\"{}\")", self.sample));
        }
        text.push_str(&format!(" - {}: {}", self.check.hint(), self.command));
        text
    }
}

fn shortened(text: &str) -> String {
    if text.len() <= SAMPLE {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(SAMPLE);
    format!("{}...", text.get(..end).unwrap_or_default())
}

/// Returns the word as a shell takes it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
