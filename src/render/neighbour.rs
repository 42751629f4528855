//! Neighbour: what mail stores and filters did with a mail, in words. They are never Postfix's words.

use super::escape::terminal;
use super::part::{address, text};
use super::words::prefixed;
use crate::story::{Addressed, Deed, Stored};

/// Returns `dovecot, which discarded it`.
pub(super) fn told(stored: &Stored<'_>) -> String {
    let deeds: Vec<String> = stored.deeds.iter().map(deed).collect();
    format!("{}, which {}", text(stored.program), deeds.join(" and "))
}

/// Returns `dovecot: discarded it`.
pub(super) fn fact(stored: &Stored<'_>) -> String {
    let deeds: Vec<String> = stored.deeds.iter().map(deed).collect();
    format!("{}: {}", text(stored.program), deeds.join(", "))
}

/// Returns what was done.
fn deed(deed: &Deed<'_>) -> String {
    let detail = text(deed.detail);
    match deed.action.unwrap_or_default() {
        "stored" if detail.is_empty() => "filed it".to_owned(),
        "stored" => format!("filed it in '{detail}'"),
        "discarded" => "discarded it".to_owned(),
        "redirected" => format!("redirected it{}", prefixed(" to ", &detail)),
        "rejected" if detail.is_empty() => "rejected it".to_owned(),
        "rejected" => format!("rejected it ({detail})"),
        "duplicate" => format!("dropped it as a duplicate{}", prefixed(" for ", &detail)),
        "failed" => format!("could not store it{}", prefixed(": ", &detail)),
        "replied" => format!("sent an absence note{}", prefixed(" to ", &detail)),
        "no_reply" => format!("sent no absence note{}", prefixed(" to ", &detail)),
        "notified" => format!("notified{}", prefixed(" ", &detail)),
        "piped" => format!("piped it{}", prefixed(" to ", &detail)),
        "expired" => "marked to expire at the next attempt".to_owned(),
        "other" => format!("said: {detail}"),
        verdict => terminal(verdict).into_owned(),
    }
}

/// Returns the line of the timeline: `bob@example.org dovecot filed it in 'Junk'`, `rspamd: soft reject, score 4.54 of 15`.
pub(super) fn line(to: Option<&Addressed<'_>>, done: &Deed<'_>) -> String {
    let program = text(done.program);
    if let Some(to) = to {
        return format!("{} {program} {}", address(to.recipient), deed(done));
    }
    let detail = text(done.detail);
    let score = match detail.split_once('/') {
        Some((score, most)) => format!(", score {} of {}", plain(score), plain(most)),
        None => prefixed(", score ", &detail),
    };
    format!("{program}: {}{score}", deed(done))
}

/// Takes the noughts off behind the point.
fn plain(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}
