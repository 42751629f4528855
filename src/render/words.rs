//! Words: how times, lengths and numbers are said in sentences.

use super::Style;
use crate::model::time::{SECOND, Time};
use crate::story::Reply;

/// Returns the time without its fraction, which answers nothing that a person asks.
pub(super) fn whole_seconds(time: Time) -> Time {
    Time(time.0.saturating_sub(time.0.rem_euclid(SECOND)))
}

/// Returns `, 6 min 10 s later`; empty when one of the times is not known.
pub(super) fn length(from: Option<Time>, to: Option<Time>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "seconds, for people")]
    let seconds =
        |from: Time, to: Time| (whole_seconds(to).since(whole_seconds(from)) / SECOND) as f64;
    from.zip(to)
        .map(|(from, to)| format!(", {} later", duration(seconds(from, to))))
        .unwrap_or_default()
}

/// Returns what our smtpd did: refused, or refused for now.
pub(super) fn turned(reply: &Reply<'_>) -> &'static str {
    if reply.is_greylisting() {
        "greylisted"
    } else if reply.is_temporary() {
        "temporarily refused"
    } else {
        "refused"
    }
}

pub(super) fn prefixed(prefix: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{prefix}{text}")
    }
}

pub(super) fn when(time: Option<Time>, style: &Style) -> String {
    time.map_or_else(
        || "an unknown day".into(),
        |t| style.zone.show(whole_seconds(t)),
    )
}

pub(super) fn count(n: i64, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// Returns a length of time as people say it.
pub(super) fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "held at the ends of the range; no delay is that long"
    )]
    let whole = seconds.round() as i64;
    let two = |n: i64, unit: &str, rest: i64, small: &str| {
        if rest == 0 {
            format!("{n} {unit}")
        } else {
            format!("{n} {unit} {rest} {small}")
        }
    };
    match whole {
        60..3600 => two(whole / 60, "min", whole % 60, "s"),
        3600..86_400 => two(whole / 3600, "h", whole % 3600 / 60, "min"),
        86_400.. => two(whole / 86_400, "d", whole % 86_400 / 3600, "h"),
        _ => format!("{seconds} s"),
    }
}
