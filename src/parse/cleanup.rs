//! cleanup: message ids, header and body checks, milters at the end of a message (grammar 5.4).
//!
//! Postfix: `cleanup/cleanup_message.c`, `cleanup_milter.c`, `cleanup_api.c`. The checked text is hostile and may
//! imitate what follows it; all readings are handed on, because only `client=` of the message tells which is real.

use super::{client, policy, tail};
use crate::model::event::{Content, ContentReading, Event, Removal};

/// Bytes of the checked text that cleanup prints at most.
const TEXT_MAX: usize = 200;

/// Reads what follows the queue id.
#[must_use]
pub(super) fn of_message<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    if let Some(message_id) = text.strip_prefix("message-id=") {
        return Some(message_id_event(queue_id, message_id, false));
    }
    if let Some(message_id) = text.strip_prefix("resent-message-id=") {
        return Some(message_id_event(queue_id, message_id, true));
    }
    let removal = match text {
        "removed (canceled)" => Some(Removal::Canceled),
        "removed (discarded)" => Some(Removal::Discarded),
        _ => None,
    };
    if let Some(removal) = removal {
        return Some(Event::Removed { queue_id, removal });
    }
    content(queue_id, text).or_else(|| policy::parse(Some(queue_id), text))
}

fn message_id_event<'a>(queue_id: &'a str, message_id: &'a str, resent: bool) -> Event<'a> {
    Event::MessageId {
        queue_id,
        message_id,
        resent,
    }
}

/// Splits `{action}: header {text}` and its kin into action, part and the rest.
#[must_use]
pub(super) fn check(text: &str) -> Option<(&str, &str, &str)> {
    let (action, rest) = text.split_once(": ")?;
    let is_milter = ["milter-header-", "milter-body-"]
        .iter()
        .any(|prefix| action.starts_with(prefix));
    let is_check = matches!(
        action,
        "reject"
            | "warning"
            | "info"
            | "filter"
            | "pass"
            | "discard"
            | "hold"
            | "delay"
            | "prepend"
            | "replace"
            | "redirect"
            | "bcc"
            | "strip"
    );
    let (part, rest) = rest.split_once(' ')?;
    let is_part = matches!(part, "header" | "body" | "content" | "mime-error");
    ((is_milter || is_check) && is_part).then_some((action, part, rest))
}

/// Reads `{action}: header {text} from {origin};{tail}⟦: {reason}⟧`.
fn content<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    let (action, part, rest) = check(text)?;
    let mut readings = readings(rest);
    let best = readings.next();
    let checked = best.map_or_else(|| cut(rest), |reading| reading.text);
    Some(Event::Content(Content {
        queue_id,
        action,
        part,
        text: checked,
        subject: subject(part, checked),
        origin: best.map(|reading| reading.origin),
        tail: best.map(|reading| reading.tail).unwrap_or_default(),
        reason: best.and_then(|reading| reading.reason),
        other_readings: readings.collect(),
    }))
}

/// Returns all ways to split the line, rightmost tail first.
fn readings(text: &str) -> impl Iterator<Item = ContentReading<'_>> {
    let limit = limit(text);
    text.rmatch_indices(" from ")
        .skip_while(move |(at, _)| *at > limit)
        .filter_map(|(at, words)| {
            let (origin, rest) = origin(text.get(at + words.len()..)?)?;
            let (tail, rest) = tail::forward(rest);
            let reason = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(": ")?),
            };
            Some(ContentReading {
                text: text.get(..at)?,
                origin,
                tail,
                reason,
            })
        })
}

/// Splits `host[address];`, `local;` or `unknown;`.
fn origin(text: &str) -> Option<(&str, &str)> {
    let end = match client::named(text) {
        Some((_, rest)) => text.len() - rest.len(),
        None => ["local", "unknown"]
            .iter()
            .find(|word| text.starts_with(**word))?
            .len(),
    };
    Some((text.get(..end)?, text.get(end..)?.strip_prefix(';')?))
}

/// Returns where the checked text ends at the latest; bytes that were replaced when read count as one.
fn limit(text: &str) -> usize {
    let mut bytes = 0;
    for (at, char) in text.char_indices() {
        if bytes >= TEXT_MAX {
            return at;
        }
        bytes += if char == char::REPLACEMENT_CHARACTER {
            1
        } else {
            char.len_utf8()
        };
    }
    text.len()
}

fn cut(text: &str) -> &str {
    text.get(..limit(text)).unwrap_or(text)
}

fn subject<'a>(part: &str, text: &'a str) -> Option<&'a str> {
    let (name, value) = text.split_once(':')?;
    (part == "header" && name.eq_ignore_ascii_case("subject")).then(|| value.trim_start())
}
