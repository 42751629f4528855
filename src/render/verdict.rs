//! Verdict: one sentence with the fate of each recipient of a mail.

use super::Style;
use super::asked::Told;
use super::color::{Tone, tone};
use super::escape::terminal;
use super::neighbour::Stored;
use super::row::Row;
use super::story::{Chain, at};
use super::words::{
    count, duration, is_greylisting, is_temporary, length, prefixed, when, whole_seconds,
};
use crate::model::row::{link, message_status, recipient_status as status};
use crate::model::time::{SECOND, Time};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn is_notice(message: &Row<'_>) -> bool {
    matches!(
        message.raw("parent_link"),
        Some(link::BOUNCE | link::DELAY | link::STATUS)
    )
}

pub(super) fn is_handed_on(recipient: &Row<'_>) -> bool {
    matches!(
        recipient.raw("status"),
        Some(status::FILTERED | status::RELAYED | status::FORWARDED | status::REQUEUED)
    )
}

pub(super) fn same_id(a: Option<i64>, b: Option<i64>) -> bool {
    a.is_some() && a == b
}

/// Returns the recipients whose rows have a fate: not those of notices, nor those that another row carries on.
pub(super) fn told<'c, 'a>(chain: &'c Chain<'a>) -> Vec<&'c Row<'a>> {
    let messages = &chain.messages;
    let of_mail = |r: &&Row<'_>| {
        messages
            .iter()
            .find(|m| same_id(m.int("id"), r.int("from_id")))
            .is_none_or(|m| !is_notice(m) || messages.iter().all(is_notice))
    };
    let mail = chain.recipients.iter().filter(of_mail);
    let continued = Continued::of(chain);
    mail.filter(|r| !is_handed_on(r) || !continued.has(r))
        .collect()
}

/// What carries messages on, by the id of the message: names of the recipients, and queue ids that have any.
struct Continued<'a> {
    names: BTreeSet<(i64, String)>,
    queue_ids: BTreeSet<(i64, &'a str)>,
}

impl<'a> Continued<'a> {
    fn of(chain: &Chain<'a>) -> Self {
        let mut found = Self {
            names: BTreeSet::new(),
            queue_ids: BTreeSet::new(),
        };
        let children = chain.messages.iter().filter(|m| !is_notice(m));
        let children: BTreeMap<i64, (i64, Option<&'a str>)> = children
            .filter_map(|m| Some((m.int("id")?, (m.int("parent_id")?, m.raw("queue_id")))))
            .collect();
        for r in &chain.recipients {
            let Some((parent, queue_id)) = r.int("from_id").and_then(|id| children.get(&id)) else {
                continue;
            };
            found.queue_ids.extend(queue_id.map(|id| (*parent, id)));
            let names = ["recipient", "orig_to"].into_iter();
            let names = names.filter_map(|column| r.raw(column));
            found
                .names
                .extend(names.map(|name| (*parent, name.to_lowercase())));
        }
        found
    }

    /// Returns whether a recipient of a message that continues the hop's is known: of its name, or of the message with the id that was
    /// answered.
    fn has(&self, hop: &Row<'_>) -> bool {
        let Some(id) = hop.int("from_id") else {
            return false;
        };
        let name = hop.raw("recipient").map(str::to_lowercase);
        name.is_some_and(|name| self.names.contains(&(id, name)))
            || hop
                .raw("remote_queue_id")
                .is_some_and(|there| self.queue_ids.contains(&(id, there)))
    }
}

/// One sentence a recipient that is told; one of the message when it has no recipients.
pub(super) fn all(chain: &Chain<'_>, told: &Told<'_, '_>, style: &Style) -> Vec<(Tone, String)> {
    let toned = |r: &Row<'_>| tone(r.raw("status").unwrap_or_default());
    let mut sentences: Vec<(Tone, String)> = told
        .each()
        .map(|r| (toned(r), of_recipient(chain, r, style)))
        .collect();
    let notices = told
        .notices
        .iter()
        .map(|r| (toned(r), of_notice(chain, r, style)));
    sentences.splice(told.asked.len()..told.asked.len(), notices);
    if sentences.is_empty() {
        let messages = &chain.messages;
        return messages
            .iter()
            .rfind(|m| !is_notice(m))
            .or(messages.last())
            .map(|m| of_message(chain, m, style))
            .into_iter()
            .collect();
    }
    sentences
}

/// Returns what notice of that kind about the recipient's message became of.
fn notice(chain: &Chain<'_>, recipient: &Row<'_>, kind: &str) -> Option<String> {
    let is_about = |m: &&Row<'_>| {
        m.raw("parent_link") == Some(kind) && same_id(m.int("parent_id"), recipient.int("from_id"))
    };
    let notice = chain.messages.iter().find(is_about)?;
    let sent = chain
        .recipients
        .iter()
        .find(|r| same_id(r.int("from_id"), notice.int("id")));
    Some(match sent {
        None => notice.text("queue_id"),
        Some(to) => {
            let what = match to.raw("status").unwrap_or_default() {
                status::SENT => "delivered",
                status::FILTERED | status::RELAYED | status::FORWARDED => "handed on",
                status::BOUNCED | status::EXPIRED => "itself undeliverable",
                status::DEFERRED | status::SOFTBOUNCE => "not delivered yet",
                other => other,
            };
            let (id, to) = (notice.text("queue_id"), to.address("recipient"));
            format!("{id} to {to}, {}", terminal(what))
        }
    })
}

/// Returns what became of a notice that went to who was asked for.
fn of_notice(chain: &Chain<'_>, r: &Row<'_>, style: &Style) -> String {
    let of = |id: Option<i64>| chain.messages.iter().find(|m| same_id(m.int("id"), id));
    let notice = of(r.int("from_id"));
    let kind = match notice.and_then(|m| m.raw("parent_link")) {
        Some(link::DELAY) => "notice of delay",
        Some(link::STATUS) => "notice of delivery",
        _ => "notice of failure",
    };
    let about = of(notice.and_then(|m| m.int("parent_id")));
    let about = about.map_or_else(String::new, |m| format!(" about {}", m.text("queue_id")));
    let at = at(r, "time", style);
    let what = match r.raw("status").unwrap_or_default() {
        status::SENT => {
            let to = relay_of(r).map_or_else(String::new, |relay| format!(" to {relay}"));
            format!("delivered{to} on {at}{}", theirs(r))
        }
        other => format!("{} on {at}{}", terminal(other), prefixed(": ", &r.said())),
    };
    format!("{}: {kind}{about}, {what}", addressed(chain, r))
}

/// Returns how the mail came through after the door or the next host had put it off.
fn put_off(chain: &Chain<'_>, r: &Row<'_>, style: &Style) -> String {
    let mut text = String::new();
    let named = |row: &&&Row<'_>| {
        let name = row.raw("recipient").unwrap_or_default();
        let is = |column| r.raw(column).is_some_and(|a| a.eq_ignore_ascii_case(name));
        is("recipient") || is("orig_to")
    };
    let mut ours = chain.refusals.iter().filter(|row| named(&row));
    if let (Some(refusal), Some(first)) = (ours.next(), chain.first()) {
        let what = turned(refusal);
        let times: i64 = ours.map(|row| row.int("count").unwrap_or(1)).sum();
        let times = match times {
            0 => String::new(),
            more => format!(" and {} more", count(more, "time")),
        };
        let (from, to) = (at(refusal, "time", style), at(first, "time", style));
        text.push_str(&format!("; {what} on arrival at {from}{times}"));
        if !is_turned(r) {
            let after = length(refusal.time("time"), first.time("time"));
            text.push_str(&format!(", accepted at {to}{after}"));
        }
    }
    if is_turned(r) {
        text.push_str(&came_later(
            chain,
            r.raw("recipient"),
            first_time(chain),
            style,
        ));
    }
    let earlier = |a: &&Row<'_>| same_id(a.int("to_id"), r.int("id")) && is_greylisting(a);
    if r.raw("status") == Some(status::SENT)
        && let Some(attempt) = chain.attempts.iter().find(earlier)
    {
        let after = length(attempt.time("time"), r.time("time"));
        let (from, to) = (at(attempt, "time", style), at(r, "time", style));
        text.push_str(&format!(
            "; greylisted there at {from}, accepted at {to}{after}"
        ));
    }
    text
}

/// Returns what our smtpd did: refused, or refused for now.
pub(super) fn turned(refusal: &Row<'_>) -> &'static str {
    if is_greylisting(refusal) {
        "greylisted"
    } else if is_temporary(refusal) {
        "temporarily refused"
    } else {
        "refused"
    }
}

fn is_turned(r: &Row<'_>) -> bool {
    r.raw("status") == Some(status::REJECTED)
}

fn first_time(chain: &Chain<'_>) -> Option<Time> {
    chain.first().and_then(|first| first.time("time"))
}

/// Returns what came through after the message was not taken; nothing where that was not looked for.
fn came_later(
    chain: &Chain<'_>,
    recipient: Option<&str>,
    time: Option<Time>,
    style: &Style,
) -> String {
    let Some(later) = &chain.later else {
        return String::new();
    };
    match later
        .iter()
        .find(|row| row.raw("for_recipient") == recipient)
    {
        Some(mail) => {
            let after = length(time, mail.time("time"));
            let (id, time) = (mail.text("queue_id"), at(mail, "time", style));
            format!("; it was accepted at {time}{after}: {id}")
        }
        None => "; no later attempt for this recipient was accepted".to_owned(),
    }
}

fn of_recipient(chain: &Chain<'_>, r: &Row<'_>, style: &Style) -> String {
    let at = at(r, "time", style);
    let tries = r.int("attempts").unwrap_or(0);
    let reason = prefixed(": ", &r.said());
    let noticed = notice(chain, r, link::BOUNCE).map_or_else(
        || "; no notice to the sender in the log".to_owned(),
        |id| format!("; notice to the sender: {id}"),
    );
    let by = match relay_of(r) {
        Some(relay) if relay.contains('[') => format!(" to {relay}"),
        Some(program) => format!(" by {program}"),
        None => prefixed(" by ", &r.text("agent")),
    };
    let tried = relay_of(r).map_or_else(String::new, |relay| format!(" ({relay})"));
    let what = match r.raw("status").unwrap_or_default() {
        status::SENT => sent(chain, r, &by, &at, tries),
        status::DEFERRED | status::SOFTBOUNCE => {
            let told = notice(chain, r, link::DELAY)
                .map(|id| format!("; notice of delay to the sender: {id}"));
            format!(
                "not delivered yet, Postfix keeps trying: {} since {}, the last on {at}{tried}{reason}{}",
                count(tries, "attempt"),
                when(r.time("first_time"), style),
                told.unwrap_or_default()
            )
        }
        status::BOUNCED => format!("bounced on {at}{tried}{reason}{noticed}"),
        status::EXPIRED => format!(
            "given up on {at} after {}{tried}{reason}{noticed}",
            count(tries, "attempt")
        ),
        status::DELETED => format!("deleted from the queue by an administrator on {at}{reason}"),
        status::DISCARDED => format!("discarded on {at}{reason}"),
        status::HELD => {
            format!("held in the queue since {at} until an administrator releases it{reason}")
        }
        status::REJECTED if is_temporary(r) => not_accepted(chain.first(), r, &at),
        status::REJECTED => format!("refused on {at}{reason}"),
        status::CANCELED => {
            format!("not received completely: the client disconnected on {at}{reason}")
        }
        status::FILTERED => format!(
            "handed to a content filter on {at}{by}; what came back is not in the log{}",
            theirs(r)
        ),
        status::RELAYED => format!(
            "handed to our next host on {at}{by}; what it did is not in the log{}",
            theirs(r)
        ),
        status::FORWARDED => {
            format!("forwarded on {at}; the new message is not in the log{reason}")
        }
        status::REQUEUED => format!("requeued on {at}; the new message is not in the log"),
        status::UNKNOWN => format!("outcome not in the log; last seen on {at}{reason}"),
        _ => format!("{} on {at}{by}{reason}", r.text("status")),
    };
    format!(
        "{}: {what}{}",
        addressed(chain, r),
        put_off(chain, r, style)
    )
}

/// Returns what became of a mail that was refused for now: whoever brought it still has it.
fn not_accepted(message: Option<&Row<'_>>, row: &Row<'_>, at: &str) -> String {
    let what = if is_greylisting(row) {
        "greylisted"
    } else {
        "not accepted"
    };
    let next = if message.is_some_and(|m| m.int("uid").is_some()) {
        "it stays in maildrop, and Postfix retries it"
    } else {
        "the client was asked to retry later"
    };
    format!("{what} on {at}, {next}{}", prefixed(": ", &row.said()))
}

fn sent(chain: &Chain<'_>, r: &Row<'_>, by: &str, at: &str, tries: i64) -> String {
    let stored = Stored::of(chain, r);
    let delay = took(chain, r)
        .map(|d| format!(", {} after it arrived", duration(d)))
        .unwrap_or_default();
    let tries = if tries > 1 {
        format!(", at attempt {tries}")
    } else {
        String::new()
    };
    let how = format!("{by} on {at}{delay}{tries}{}", theirs(r));
    match stored {
        // Postfix says `sent` of it.
        Some(stored) if stored.is_special() => {
            format!("handed to {}; handed over{how}", stored.told())
        }
        Some(stored) => format!("delivered{how}; {}", stored.fact()),
        None => format!("delivered{how}"),
    }
}

/// Returns the seconds since the mail arrived. Postfix counts from the arrival of the message that was delivered, which a mail may have
/// become after hours.
fn took(chain: &Chain<'_>, r: &Row<'_>) -> Option<f64> {
    let own = r.float("delay")?;
    let first = chain.first().filter(|m| !is_notice(m));
    let became = first.filter(|m| !same_id(m.int("id"), r.int("from_id")));
    let Some((from, to)) = became.and_then(|m| m.time("time")).zip(r.time("time")) else {
        return Some(own);
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds, for people")]
    let whole = (whole_seconds(to).since(whole_seconds(from)) / SECOND) as f64;
    Some(if whole > own + 1.0 { whole } else { own })
}

/// Returns the queue id that the next host gave it.
fn theirs(r: &Row<'_>) -> String {
    prefixed("; queue id there: ", &r.text("remote_queue_id"))
}

/// Returns where it was handed to or tried; none where there was no such place.
pub(super) fn relay_of(row: &Row<'_>) -> Option<String> {
    Some(row.text("relay")).filter(|relay| !relay.is_empty() && relay != "none")
}

/// Returns the recipient, with the address that the sender used or that was asked for where it is another.
pub(super) fn addressed(chain: &Chain<'_>, r: &Row<'_>) -> String {
    let name = r.address("recipient");
    match r.raw("orig_to").or_else(|| chain.asked_as(r)) {
        Some(orig_to) if Some(orig_to) != r.raw("recipient") => {
            format!("{name} (addressed as {})", terminal(orig_to))
        }
        _ => name,
    }
}

/// Returns the sentence of a refusal; `later` is what the same client brought for the same recipient afterwards.
pub(super) fn refused(hit: &Row<'_>, later: Option<&Row<'_>>, style: &Style) -> String {
    let what = turned(hit);
    let mut sentence = format!(
        "{}: {what} on arrival{} on {}",
        hit.address("recipient"),
        prefixed(", client ", &hit.client()),
        at(hit, "time", style),
    );
    sentence.push_str(&prefixed(": ", &hit.said()));
    match later {
        Some(mail) => {
            let after = length(hit.time("time"), mail.time("time"));
            let (id, time) = (mail.text("queue_id"), at(mail, "time", style));
            sentence.push_str(&format!(
                "; a later mail from the same client was accepted at {time}{after}: {id}"
            ));
        }
        None if hit.raw("recipient").is_some() && hit.time("time").is_some() => sentence
            .push_str("; no later mail from that client and sender to this recipient was accepted"),
        None => {}
    }
    sentence
}

fn of_message(chain: &Chain<'_>, m: &Row<'_>, style: &Style) -> (Tone, String) {
    let word = m.raw("status").unwrap_or_default();
    let at = when(m.time("updated").or(m.time("time")), style);
    let reason = prefixed(": ", &m.text("reason"));
    let what = match word {
        message_status::RECEIVING => format!("still being received; last seen on {at}"),
        message_status::QUEUED => format!(
            "in the queue since {}; no attempt to deliver it in the log",
            when(m.time("time"), style)
        ),
        message_status::HELD => format!("held in the queue since {at}{reason}"),
        message_status::DONE => {
            format!("left the queue on {at}; its deliveries are not in the log")
        }
        message_status::EXPIRED => format!("given up on {at}{reason}"),
        message_status::DELETED => format!("deleted from the queue by an administrator on {at}"),
        message_status::CANCELED => {
            format!("not received completely: the client disconnected on {at}{reason}")
        }
        message_status::REJECTED => {
            let later = came_later(chain, None, m.time("time"), style);
            if is_temporary(m) {
                format!("{}{later}", not_accepted(Some(m), m, &at))
            } else {
                format!("refused on {at}{reason}{later}")
            }
        }
        message_status::DISCARDED => format!("discarded on {at}{reason}"),
        message_status::CORRUPT => format!("moved to the corrupt queue on {at}{reason}"),
        message_status::REQUEUED if reason.starts_with(": stays in maildrop") => {
            format!("not accepted into the queue on {at}{reason}")
        }
        message_status::REQUEUED => {
            format!("requeued on {at}; the new message is not in the log")
        }
        message_status::LOST => format!("nothing in the log since {at}"),
        _ => format!("outcome not in the log; last seen on {at}{reason}"),
    };
    (tone(word), format!("{}: {what}", m.text("queue_id")))
}
