//! Notices of the log's own carriers that lines were lost (grammar 2.10).
//!
//! Written by journald and rsyslogd. Limits: journald names the unit; other units' losses are not ours.

use super::attrs;
use crate::model::event::Event;

/// Returns whether the program carries logs.
#[must_use]
pub(super) fn is_carrier(program: &str) -> bool {
    matches!(
        program,
        "systemd-journald" | "systemd-journal" | "journal" | "rsyslogd" | "imuxsock" | "imjournal"
    ) || program.starts_with("rsyslogd-")
}

/// Reads a line of a log carrier.
#[must_use]
pub(super) fn parse(text: &str) -> Event<'_> {
    let lost = if let Some(rest) = text.strip_prefix("Suppressed ") {
        rest.contains(" messages from ") && rest.contains("postfix")
    } else {
        text.contains("rate-limiting")
            && [
                " lost ",
                "to drop messages",
                "drop messages from",
                "begins to drop",
            ]
            .iter()
            .any(|words| text.contains(words))
    };
    if !lost {
        return Event::Foreign;
    }
    Event::Loss {
        lines: count(text),
        text,
    }
}

/// Returns the number in front of ` messages`.
fn count(text: &str) -> Option<u64> {
    let (left, _) = text.split_once(" messages")?;
    let (_, count) = attrs::number_at_end(left)?;
    Some(count)
}
