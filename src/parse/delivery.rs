//! The delivery record: one attempt for one recipient, by whatever program (grammar section 4).
//!
//! Postfix: `global/log_adhoc.c`. Left of the fixed fields stand addresses, right of them the remote server's
//! reply; both may imitate the fields. A record whose fields are cut off or absurd is no record.

use super::{address, attrs, reply};
use crate::model::event::{Delivery, Relay};

/// One way to split the line.
#[derive(Debug, Clone, Copy)]
struct Reading<'a> {
    recipient: &'a str,
    orig_to: Option<&'a str>,
    fields: Fields<'a>,
}

/// What stands between the addresses and the end.
#[derive(Debug, Clone, Copy)]
struct Fields<'a> {
    relay: &'a str,
    conn_use: Option<u32>,
    delay: f64,
    delays: [f64; 4],
    tls: Option<&'a str>,
    dsn: &'a str,
    status: &'a str,
    reason: &'a str,
}

/// Reads what follows `{queue_id}: to=<`.
#[must_use]
pub(super) fn parse<'a>(queue_id: &'a str, text: &'a str) -> Option<Delivery<'a>> {
    let (reading, ambiguous) = read(text)?;
    let fields = reading.fields;
    let [before_qmgr, in_qmgr, conn_setup, transmission] = fields.delays;
    let is_sent = fields.status == "sent";
    let forwarded_as =
        reply::forwarded_as(fields.reason).filter(|_| is_sent && fields.relay == "local");
    let queued_as = reply::queued_as(fields.reason).filter(|_| is_sent);
    Some(Delivery {
        queue_id,
        recipient: reading.recipient,
        orig_to: reading.orig_to,
        relay: relay(fields.relay),
        conn_use: fields.conn_use,
        delay: fields.delay,
        delay_before_qmgr: before_qmgr,
        delay_in_qmgr: in_qmgr,
        delay_conn_setup: conn_setup,
        delay_transmission: transmission,
        tls: fields.tls,
        dsn: fields.dsn,
        status: fields.status,
        reason: fields.reason,
        reply_code: reply::code(fields.reason),
        remote_queue_id: forwarded_as.or(queued_as),
        is_forward: forwarded_as.is_some(),
        is_discard: is_sent
            && queued_as.is_none()
            && reply::is_discard(fields.relay, fields.reason),
        ambiguous,
    })
}

/// Returns the reading to believe, and whether there is a second one.
///
/// Behind a quoted local part the first reading is certain. Without quotes an address may hold anything, so a
/// second reading makes the line ambiguous, and the first whose address has a domain is taken.
fn read(text: &str) -> Option<(Reading<'_>, bool)> {
    if address::quoted(text).is_some()
        && let Some(reading) = readings(text, address::ends).next()
        && address::has_plausible_domain(reading.recipient)
    {
        return Some((reading, false));
    }
    best(readings(text, address::ends)).or_else(|| best(readings(text, address::unquoted_ends)))
}

/// Returns the first reading, or the first with a domain when the fields can be read in a second place.
///
/// An unquoted address may also hold `>, orig_to=<`: then more than one of these makes the line ambiguous.
fn best<'a>(mut readings: impl Iterator<Item = Reading<'a>>) -> Option<(Reading<'a>, bool)> {
    let first = readings.next()?;
    let doubtful = first.orig_to.is_some_and(|orig_to| {
        orig_to.contains(">, orig_to=<") && address::quoted(orig_to).is_none()
    });
    let place = first.fields.reason.len();
    let mut others = readings.filter(|reading| reading.fields.reason.len() != place);
    let Some(second) = others.next() else {
        return Some((first, doubtful));
    };
    let plausible = std::iter::once(first)
        .chain(std::iter::once(second))
        .chain(others)
        .find(|reading| address::has_plausible_domain(reading.recipient));
    Some((plausible.unwrap_or(first), true))
}

fn readings<'a>(
    text: &'a str,
    ends: fn(&'a str) -> address::Ends<'a>,
) -> impl Iterator<Item = Reading<'a>> {
    ends(text).flat_map(move |(recipient, rest)| {
        let plain = fields(rest).map(|fields| Reading {
            recipient,
            orig_to: None,
            fields,
        });
        let with_orig_to = rest.strip_prefix(", orig_to=<").into_iter().flat_map(ends);
        plain
            .into_iter()
            .chain(with_orig_to.filter_map(move |(orig_to, rest)| {
                Some(Reading {
                    recipient,
                    orig_to: Some(orig_to),
                    fields: fields(rest)?,
                })
            }))
    })
}

/// Reads `, relay=... status=... (...)` strictly and to the end of the line.
fn fields(text: &str) -> Option<Fields<'_>> {
    let rest = text.strip_prefix(", relay=")?;
    let (relay, rest) = rest.split_at_checked(memchr::memchr(b',', rest.as_bytes())?)?;
    if relay.is_empty() {
        return None;
    }
    let mut rest = rest.strip_prefix(", ")?;
    let mut conn_use = None;
    if let Some(after) = rest.strip_prefix("conn_use=") {
        let (count, after) = attrs::number(after)?;
        conn_use = Some(count);
        rest = after.strip_prefix(", ")?;
    }
    let (delay, rest) = attrs::seconds(rest.strip_prefix("delay=")?)?;
    let (first, rest) = attrs::seconds(rest.strip_prefix(", delays=")?)?;
    let (second, rest) = attrs::seconds(rest.strip_prefix('/')?)?;
    let (third, rest) = attrs::seconds(rest.strip_prefix('/')?)?;
    let (fourth, rest) = attrs::seconds(rest.strip_prefix('/')?)?;
    let mut rest = rest.strip_prefix(", ")?;
    let mut tls = None;
    if let Some(after) = rest.strip_prefix("tls=") {
        let (summary, after) = attrs::until(after, |byte| matches!(byte, b',' | b' '));
        tls = Some(summary).filter(|summary| !summary.is_empty());
        rest = after.strip_prefix(", ")?;
    }
    let (dsn, rest) = attrs::dsn(rest.strip_prefix("dsn=")?)?;
    let rest = rest.strip_prefix(", status=")?;
    let (status, rest) = attrs::until(rest, |byte| !(byte.is_ascii_alphabetic() || byte == b'-'));
    let reason = rest.strip_prefix(" (").filter(|_| !status.is_empty())?;
    Some(Fields {
        relay,
        conn_use,
        delay,
        delays: [first, second, third, fourth],
        tls,
        dsn,
        status,
        reason: reason.strip_suffix(')').unwrap_or(reason),
    })
}

/// Splits `host[address]:port` and `host[path]`; a service name or `none` has no parts.
fn relay(relay: &str) -> Relay<'_> {
    let whole = Relay {
        relay,
        ..Relay::default()
    };
    let Some((name, rest)) = relay.split_once('[') else {
        return whole;
    };
    let Some((address, rest)) = rest.rsplit_once(']') else {
        return whole;
    };
    Relay {
        relay,
        name: Some(name),
        address: Some(address),
        port: rest.strip_prefix(':').and_then(|port| port.parse().ok()),
    }
}
