//! Verdict: one sentence with the fate of each recipient of a mail.

use super::Style;
use super::color::{Tone, tone};
use super::escape::terminal;
use super::neighbour;
use super::part::{address, addressed, client, said, text};
use super::words::{count, duration, length, prefixed, turned, when};
use crate::model::row::{link, message_status, recipient_status as status};
use crate::model::time::Time;
use crate::story::{
    CameLater, Earlier, Fate, Message, MessageFate, Notice, NoticeFate, Refused, Reply, Try,
    Verdict,
};

/// Returns the verdict as one sentence, and the colour that says whether it is good news.
pub(super) fn sentence(verdict: &Verdict<'_>, style: &Style) -> (Tone, String) {
    match verdict {
        Verdict::Recipient(fate) => (
            tone(fate.recipient.last.status.unwrap_or_default()),
            of_recipient(fate, style),
        ),
        Verdict::Notice(fate) => (
            tone(fate.recipient.last.status.unwrap_or_default()),
            of_notice(fate, style),
        ),
        Verdict::Message(fate) => (
            tone(fate.message.status.unwrap_or_default()),
            of_message(fate, style),
        ),
    }
}

/// Returns what a notice became.
fn notice(notice: &Notice<'_>) -> String {
    let id = text(notice.queue_id);
    let Some(to) = &notice.to else {
        return id;
    };
    let what = match to.last.status.unwrap_or_default() {
        status::SENT => "delivered",
        status::FILTERED | status::RELAYED | status::FORWARDED => "handed on",
        status::BOUNCED | status::EXPIRED => "itself undeliverable",
        status::DEFERRED | status::SOFTBOUNCE => "not delivered yet",
        other => other,
    };
    format!("{id} to {}, {}", address(to.recipient), terminal(what))
}

/// Returns what became of a notice that went to who was asked for.
fn of_notice(fate: &NoticeFate<'_>, style: &Style) -> String {
    let kind = match fate.notice.and_then(|m| m.parent_link) {
        Some(link::DELAY) => "notice of delay",
        Some(link::STATUS) => "notice of delivery",
        _ => "notice of failure",
    };
    let about = fate.about.as_ref();
    let about = about.map_or_else(String::new, |m| format!(" about {}", text(m.queue_id)));
    let last = &fate.recipient.last;
    let at = when(last.time, style);
    let what = match last.status.unwrap_or_default() {
        status::SENT => {
            let to = relay(last).map_or_else(String::new, |relay| format!(" to {relay}"));
            format!("delivered{to} on {at}{}", theirs(last))
        }
        other => format!(
            "{} on {at}{}",
            terminal(other),
            prefixed(": ", &said(&last.reply))
        ),
    };
    format!("{}: {kind}{about}, {what}", addressed(&fate.addressed))
}

/// Returns how the mail came through after we or the next host had refused it for now.
fn refused_before(fate: &Fate<'_>, style: &Style) -> String {
    let mut words = String::new();
    let is_refused = fate.recipient.last.status == Some(status::REJECTED);
    if let Some(Earlier { first, more }) = &fate.earlier {
        let what = turned(&first.reply);
        let times = match more {
            0 => String::new(),
            more => format!(" and {} more", count(*more, "time")),
        };
        let (from, to) = (when(first.time, style), when(fate.arrived, style));
        words.push_str(&format!("; {what} on arrival at {from}{times}"));
        if !is_refused {
            let after = length(first.time, fate.arrived);
            words.push_str(&format!(", accepted at {to}{after}"));
        }
    }
    words.push_str(&came_later(&fate.later, fate.arrived, style));
    if let Some(greylisted) = fate.greylisted_there {
        let last = fate.recipient.last.time;
        let after = length(greylisted, last);
        let (from, to) = (when(greylisted, style), when(last, style));
        words.push_str(&format!(
            "; greylisted there at {from}, accepted at {to}{after}"
        ));
    }
    words
}

/// Returns what came through after the message was not taken; nothing where that was not looked for.
fn came_later(later: &CameLater<'_>, time: Option<Time>, style: &Style) -> String {
    match later {
        CameLater::Unknown => String::new(),
        CameLater::Mail(mail) => {
            let after = length(time, mail.time);
            let (id, time) = (text(mail.queue_id), when(mail.time, style));
            format!("; it was accepted at {time}{after}: {id}")
        }
        CameLater::Nothing => "; no later attempt for this recipient was accepted".to_owned(),
    }
}

fn of_recipient(fate: &Fate<'_>, style: &Style) -> String {
    let r = &fate.recipient;
    let last = &r.last;
    let at = when(last.time, style);
    let tries = r.attempts.unwrap_or(0);
    let reason = prefixed(": ", &said(&last.reply));
    let by = match relay(last) {
        Some(relay) if relay.contains('[') => format!(" to {relay}"),
        Some(program) => format!(" by {program}"),
        None => prefixed(" by ", &text(last.agent)),
    };
    let tried = relay(last).map_or_else(String::new, |relay| format!(" ({relay})"));
    let what = match last.status.unwrap_or_default() {
        status::SENT => sent(fate, &by, &at, tries),
        status::DEFERRED | status::SOFTBOUNCE => {
            deferred(fate, &format!("{at}{tried}{reason}"), style)
        }
        status::BOUNCED => format!("bounced on {at}{tried}{reason}{}", noticed(fate)),
        status::EXPIRED => format!(
            "given up on {at} after {}{tried}{reason}{}",
            count(tries, "attempt"),
            noticed(fate)
        ),
        status::DELETED => format!("deleted from the queue by an administrator on {at}{reason}"),
        status::DISCARDED => format!("discarded on {at}{reason}"),
        status::HELD => {
            format!("held in the queue since {at} until an administrator releases it{reason}")
        }
        status::REJECTED if last.reply.is_temporary() => {
            not_accepted(fate.is_local, &last.reply, &at)
        }
        status::REJECTED => format!("refused on {at}{reason}"),
        status::CANCELED => {
            format!("not received completely: the client disconnected on {at}{reason}")
        }
        status::FILTERED => format!(
            "handed to a content filter on {at}{by}; what came back is not in the log{}",
            theirs(last)
        ),
        status::RELAYED => format!(
            "handed to our next host on {at}{by}; what it did is not in the log{}",
            theirs(last)
        ),
        status::FORWARDED => {
            format!("forwarded on {at}; the new message is not in the log{reason}")
        }
        status::REQUEUED => format!("requeued on {at}; the new message is not in the log"),
        status::UNKNOWN => format!("outcome not in the log; last seen on {at}{reason}"),
        _ => format!("{} on {at}{by}{reason}", text(last.status)),
    };
    format!(
        "{}: {what}{}",
        addressed(&fate.addressed),
        refused_before(fate, style)
    )
}

/// Returns what is known of a mail that is not delivered yet; `last` says it of the last attempt.
fn deferred(fate: &Fate<'_>, last: &str, style: &Style) -> String {
    let told = fate.notice.as_ref();
    let told = told.map(|of| format!("; notice of delay to the sender: {}", notice(of)));
    let is_on_hold = |message: &Message<'_>| message.status == Some(message_status::HELD);
    let what = if fate.message.as_ref().is_some_and(is_on_hold) {
        "on hold until an administrator releases it, not tried meanwhile"
    } else {
        "Postfix keeps trying"
    };
    format!(
        "not delivered yet, {what}: {} since {}, the last on {last}{}",
        count(fate.recipient.attempts.unwrap_or(0), "attempt"),
        when(fate.recipient.first_time, style),
        told.unwrap_or_default()
    )
}

/// Returns what is known of the notice to the sender.
fn noticed(fate: &Fate<'_>) -> String {
    fate.notice.as_ref().map_or_else(
        || "; no notice to the sender in the log".to_owned(),
        |of| format!("; notice to the sender: {}", notice(of)),
    )
}

/// Returns what became of a mail that was refused for now: whoever brought it still has it.
fn not_accepted(is_local: bool, reply: &Reply<'_>, at: &str) -> String {
    let what = if reply.is_greylisting() {
        "greylisted"
    } else {
        "not accepted"
    };
    let next = if is_local {
        "it stays in maildrop, and Postfix retries it"
    } else {
        "the client was asked to retry later"
    };
    format!("{what} on {at}, {next}{}", prefixed(": ", &said(reply)))
}

fn sent(fate: &Fate<'_>, by: &str, at: &str, tries: i64) -> String {
    let took = fate
        .took
        .map(|d| format!(", {} after it arrived", duration(d)));
    let tries = if tries > 1 {
        format!(", at attempt {tries}")
    } else {
        String::new()
    };
    let how = format!(
        "{by} on {at}{}{tries}{}",
        took.unwrap_or_default(),
        theirs(&fate.recipient.last)
    );
    match &fate.stored {
        // Postfix says `sent` of it.
        Some(stored) if stored.is_special() => {
            format!("handed to {}; handed over{how}", neighbour::told(stored))
        }
        Some(stored) => format!("delivered{how}; {}", neighbour::fact(stored)),
        None => format!("delivered{how}"),
    }
}

/// Returns the queue id that the next host gave it.
fn theirs(last: &Try<'_>) -> String {
    prefixed("; queue id there: ", &text(last.remote_queue_id))
}

/// Returns where it was handed to or tried; none where there was no such place.
pub(super) fn relay(attempt: &Try<'_>) -> Option<String> {
    attempt.place().map(|relay| text(Some(relay)))
}

/// Returns the sentence of a refusal.
pub(super) fn refused(refused: &Refused<'_>, style: &Style) -> String {
    let refusal = &refused.refusal;
    let what = turned(&refusal.reply);
    let mut sentence = format!(
        "{}: {what} on arrival{} on {}",
        address(refusal.recipient),
        prefixed(", client ", &client(&refusal.client)),
        when(refusal.time, style),
    );
    sentence.push_str(&prefixed(": ", &said(&refusal.reply)));
    match &refused.later {
        Some(mail) => {
            let after = length(refusal.time, mail.time);
            let (id, time) = (text(mail.queue_id), when(mail.time, style));
            sentence.push_str(&format!(
                "; a later mail from the same client was accepted at {time}{after}: {id}"
            ));
        }
        None if refusal.recipient.is_some() && refusal.time.is_some() => sentence
            .push_str("; no later mail from that client and sender to this recipient was accepted"),
        None => {}
    }
    sentence
}

fn of_message(fate: &MessageFate<'_>, style: &Style) -> String {
    let m: &Message<'_> = &fate.message;
    let at = when(m.updated.or(m.time), style);
    let reason = prefixed(": ", &text(m.reply.reason));
    let what = match m.status.unwrap_or_default() {
        message_status::RECEIVING => format!("still being received; last seen on {at}"),
        message_status::QUEUED => format!(
            "in the queue since {}; no attempt to deliver it in the log",
            when(m.time, style)
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
            let later = came_later(&fate.later, m.time, style);
            if m.reply.is_temporary() {
                format!("{}{later}", not_accepted(m.uid.is_some(), &m.reply, &at))
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
    format!("{}: {what}", text(m.queue_id))
}
