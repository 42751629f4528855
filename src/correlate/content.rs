//! Content: header and body checks of cleanup, and what they prove about a message (grammar 9.2.6).
//!
//! Promises: of the readings of a line whose text imitates a tail, the one counts whose origin is the client
//! that `client=` named; if none does, only the text is kept. The client is never taken from here, the sender only for a
//! mail that is held, discarded or refused, and where all readings name the same.

use super::encoded;
use super::open::{Message, Says};
use super::turned::Turned;
use super::{Correlator, Line, Owner, limited, some, text};
use crate::model::event::{Content, ContentReading, Tail};
use crate::model::row::{
    Noqueue, Text, message_status as status, origin, recipient_status as recipient,
};
use crate::parse::content_class;

/// Header and body checks show at most this much of the text.
const SHOWN: usize = 200;

impl Correlator {
    /// A header or body check.
    pub(super) fn content(&mut self, line: &Line<'_>, content: &Content<'_>) -> Owner {
        // Checks of the delivery agents have no tail and say nothing about reception (grammar 5.5).
        if content.origin.is_none() || line.entry.program() != "cleanup" {
            return self.mention(line, content.queue_id).into();
        }
        let id = self.find_or_create(line, content.queue_id, Says::Reception);
        let Some(m) = self.touch(line, id) else {
            return Owner::default();
        };
        let chosen = choose(m, content);
        keep_header(m, content, chosen.as_ref());
        let reading = chosen.unwrap_or(ContentReading {
            text: shown(content.text),
            origin: "",
            tail: Tail::default(),
            reason: None,
        });
        if let Some(helo) = reading.tail.helo_name {
            m.row.helo_name.get_or_insert_with(|| text(helo));
        }
        if let Some(protocol) = reading.tail.protocol_name {
            m.row.protocol_name.get_or_insert_with(|| text(protocol));
        }
        let why = reading
            .reason
            .filter(|r| !r.is_empty())
            .unwrap_or(reading.text);
        let to = reading.tail.recipient;
        if matches!(content.action, "hold" | "discard" | "reject") {
            self.sender_of(id, agreed_sender(content, &reading));
        }
        if content.action != "reject" {
            let reason = reading.reason.unwrap_or_default();
            self.counted_policy(line, content.action, content.part, reason);
        }
        match content.action {
            "hold" => self.hold(line, id, why, to),
            "discard" => {
                self.end_reception(line, id, status::DISCARDED, recipient::DISCARDED, why, to);
            }
            "reject" => {
                let noqueue = self.content_refusal(line, id, content, &reading);
                let turned = Turned {
                    reason: why,
                    dsn: dsn_of(why),
                    rule: Some(content_class(content.part)),
                    ..Turned::default()
                };
                self.turn_away(line, id, &turned, to);
                return Owner {
                    from: Some(id),
                    noqueue: Some(noqueue),
                    neighbour: None,
                };
            }
            _ => {}
        }
        Some(id).into()
    }

    fn content_refusal(
        &mut self,
        line: &Line<'_>,
        id: i64,
        content: &Content<'_>,
        reading: &ContentReading<'_>,
    ) -> i64 {
        let why = reading
            .reason
            .filter(|r| !r.is_empty())
            .unwrap_or(reading.text);
        let dsn = dsn_of(why);
        let base = self.noqueue_base(line);
        let row = Noqueue {
            action: text(content.action),
            protocol_state: text(content.part),
            dsn: dsn.map(text),
            rule: Some(Text::const_new(content_class(content.part))),
            reason: text(why),
            queue_id: some(content.queue_id),
            from_id: Some(id),
            ..base
        };
        let row = match self.mail.get(id) {
            Some(m) => with_client(row, m, &reading.tail),
            None => row,
        };
        self.store_refusal(row)
    }
}

fn with_client(row: Noqueue, m: &Message, tail: &Tail<'_>) -> Noqueue {
    let sender = tail.sender.map(text).or_else(|| m.row.sender.clone());
    Noqueue {
        client_name: m.row.client_name.clone(),
        client_address: m.row.client_address.clone(),
        client_port: m.row.client_port,
        sasl_method: m.row.sasl_method.clone(),
        sasl_username: m.row.sasl_username.clone(),
        helo_name: m.row.helo_name.clone(),
        protocol_name: m.row.protocol_name.clone(),
        sender,
        recipient: tail.recipient.map(text),
        ..row
    }
}

/// The sender of the reading, unless another reading has another: header text and HELO may imitate a tail.
fn agreed_sender<'a>(content: &Content<'a>, reading: &ContentReading<'a>) -> Option<&'a str> {
    let sender = reading.tail.sender;
    let others = content.other_readings.iter().map(|r| r.tail.sender);
    std::iter::once(content.tail.sender)
        .chain(others)
        .all(|other| other == sender)
        .then_some(sender)?
}

/// Returns the status code that the text begins with.
fn dsn_of(why: &str) -> Option<&str> {
    why.split(' ').next().filter(|word| is_dsn(word))
}

fn is_dsn(word: &str) -> bool {
    let mut parts = word.split('.');
    let class = parts.next().is_some_and(|c| matches!(c, "2" | "4" | "5"));
    let digits = |p: Option<&str>| {
        p.is_some_and(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    };
    class && digits(parts.next()) && digits(parts.next()) && parts.next().is_none()
}

/// Returns the reading whose origin is the known client.
fn choose<'a>(m: &Message, content: &Content<'a>) -> Option<ContentReading<'a>> {
    let first = ContentReading {
        text: content.text,
        origin: content.origin?,
        tail: content.tail,
        reason: content.reason,
    };
    let mut readings = std::iter::once(first).chain(content.other_readings.iter().copied());
    if m.row.origin == origin::UNKNOWN {
        return readings.next();
    }
    readings.find(|r| is_origin(m, r.origin))
}

fn is_origin(m: &Message, origin: &str) -> bool {
    if m.row.orig_client.as_deref() == Some(origin) {
        return true;
    }
    let Some(address) = m.row.client_address.as_deref() else {
        return origin
            == if m.row.uid.is_some() {
                "local"
            } else {
                "unknown"
            };
    };
    let name = m.row.client_name.as_deref().unwrap_or_default();
    origin
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('['))
        .and_then(|rest| rest.split_once(']'))
        .is_some_and(|(inside, _)| inside == address)
}

/// Keeps the headers that columns have.
fn keep_header(m: &mut Message, content: &Content<'_>, chosen: Option<&ContentReading<'_>>) {
    let Some((name, value)) = header(content, chosen) else {
        return;
    };
    if name.eq_ignore_ascii_case("subject") {
        m.row.subject.get_or_insert(value);
    } else if name.eq_ignore_ascii_case("from") {
        m.row.header_from.get_or_insert(value);
    }
}

/// Returns name and value of the header as it came; none where it is none, or a milter made it.
fn header<'a>(
    content: &Content<'a>,
    chosen: Option<&ContentReading<'a>>,
) -> Option<(&'a str, Text)> {
    if content.part != "header" || content.action.starts_with("milter-") {
        return None;
    }
    let whole = chosen.map_or_else(|| shown(content.text), |r| r.text);
    let (name, value) = whole.split_once(':')?;
    Some((name, text(&encoded::decoded(value.trim_start()))))
}

fn shown(s: &str) -> &str {
    let s = limited(s);
    let end = (0..=SHOWN.min(s.len()))
        .rev()
        .find(|n| s.is_char_boundary(*n));
    s.split_at(end.unwrap_or(0)).0
}
