//! Answer: what a server replies to a packet, and what it counts.
//!
//! Replies are pyzord's, byte for byte. Where it fails inside (500: a Time that is no number, a PV without end, bytes
//! that are not ASCII), this says 400. It never replies to a reply, nor to a packet in which nobody is named who could
//! read it: two servers would talk for ever.

use super::access::Access;
use super::account::Keys;
use super::counter::{Counters, DIGEST_LENGTH, Kind};
use super::message::{self, ANONYMOUS, PACKET_SIZE, Packet, VERSION, integer, major};
use std::fmt::Write as _;

/// Seconds that a client's clock may be off.
pub const CLOCK_DIFFERENCE: u32 = 300;

/// Who may do what, and how exact clocks must be.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Keys of the users.
    pub keys: Keys,
    /// What they may do.
    pub access: Access,
    /// Seconds that a client's clock may be off.
    pub clock_difference: u32,
}

/// What was asked and what became of it: a line of the usage log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The user; of a request without one the anonymous one. None if nobody knows the user.
    pub user: Option<String>,
    /// The operation; none if it is not known.
    pub operation: Option<&'static str>,
    /// The digests.
    pub digests: Vec<String>,
    /// The code of the reply.
    pub code: u16,
    /// Its text.
    pub diagnosis: String,
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The reply.
    pub reply: Vec<u8>,
    /// For the usage log.
    pub used: Use,
    /// As what its digests were counted.
    pub counted: Option<Kind>,
}

/// An error of the protocol.
struct Refusal(u16, String);

fn refusal<T>(code: u16, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(code, text.into()))
}

fn unauthorized<T>(text: &str) -> Result<T, Refusal> {
    refusal(401, format!("Unauthorized: Signature Error: {text}"))
}

/// Returns what a server replies to a packet; none if the packet is a reply itself.
pub fn answer(rules: &Rules, counters: &mut Counters, datagram: &[u8], now: i64) -> Option<Answer> {
    let packet = Packet::parse(datagram.get(..PACKET_SIZE).unwrap_or(datagram));
    if packet.first("Op").is_none() && packet.first("Code").is_some() {
        return None;
    }
    let mut used = Use {
        user: None,
        operation: None,
        digests: Vec::new(),
        code: 200,
        diagnosis: "OK".to_owned(),
    };
    let mut data = String::new();
    let is_whole = datagram.len() <= PACKET_SIZE;
    let done = if is_whole {
        execute(rules, counters, &packet, now, &mut used, &mut data)
    } else {
        refusal(400, "Bad request: Packet too large")
    };
    if let Err(Refusal(code, text)) = &done {
        used.code = *code;
        used.diagnosis.clone_from(text);
    }
    let mut reply = format!(
        "Code: {}\nDiag: {}\nPV: {VERSION}\n",
        used.code, used.diagnosis
    );
    message::push(
        &mut reply,
        "Thread",
        &packet
            .first("Thread")
            .filter(|thread| is_plain(thread))
            .unwrap_or_default(),
    );
    reply.push_str(&data);
    reply.push('\n');
    Some(Answer {
        reply: reply.into_bytes(),
        used,
        counted: done.ok().flatten(),
    })
}

/// Returns whether a value may stand in a reply: other bytes could be a field of their own there.
fn is_plain(value: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b'\t' | b' '..=b'~' | b'\r' | b'\n');
    value.bytes().all(is_plain)
}

fn execute(
    rules: &Rules,
    counters: &mut Counters,
    packet: &Packet,
    now: i64,
    used: &mut Use,
    data: &mut String,
) -> Result<Option<Kind>, Refusal> {
    let user = packet.first("User").filter(|user| !user.is_empty());
    let user = user.unwrap_or_else(|| ANONYMOUS.to_owned());
    if user != ANONYMOUS {
        verify(rules, packet, &user, now)?;
    }
    used.user = Some(user.clone());
    let Some(version) = packet.first("PV") else {
        return refusal(
            400,
            "Bad request: Protocol Version not specified in request",
        );
    };
    match major(&version) {
        Some(2) => {}
        Some(_) => return refusal(505, "Version Not Supported: "),
        None => return refusal(400, "Bad request: Invalid Protocol Version"),
    }
    let operation = packet.first("Op");
    let operation = operation.filter(|operation| rules.access.allows(&user, operation));
    let Some(operation) = operation else {
        return refusal(
            403,
            "Forbidden: User is not authorized to request the operation.",
        );
    };
    let known = super::access::OPERATIONS
        .into_iter()
        .find(|known| *known == operation);
    used.operation = known;
    let Some(operation) = known else {
        return refusal(
            501,
            "Not implemented: Requested operation is not implemented.",
        );
    };
    used.digests = packet.all("Op-Digest").collect();
    let is_digest = |digest: &String| {
        digest.len() <= DIGEST_LENGTH && digest.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    };
    if !used.digests.iter().all(is_digest) {
        used.digests.clear();
        return refusal(400, "Bad request: Invalid digest");
    }
    act(counters, operation, &used.digests, now, data)
}

fn verify(rules: &Rules, packet: &Packet, user: &str, now: i64) -> Result<(), Refusal> {
    let Some(key) = rules.keys.get(user) else {
        return unauthorized("Unknown user.");
    };
    let Some(time) = packet.first("Time").as_deref().and_then(integer) else {
        return refusal(400, "Bad request: Invalid time");
    };
    if now.abs_diff(time) > u64::from(rules.clock_difference) {
        return unauthorized("Timestamp not within allowed range.");
    }
    let signature = message::sign(&packet.signed(), &message::hashed_key(user, key), time);
    let given = packet.first("Sig").unwrap_or_default();
    // All bytes are compared, whatever differs: the time that it takes tells nothing.
    let differences = given
        .bytes()
        .zip(signature.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    if differences != 0 || given.len() != signature.len() {
        return unauthorized("Invalid signature.");
    }
    Ok(())
}

fn act(
    counters: &mut Counters,
    operation: &str,
    digests: &[String],
    now: i64,
    data: &mut String,
) -> Result<Option<Kind>, Refusal> {
    let Some(first) = digests.first() else {
        return Ok(None);
    };
    let kind = match operation {
        "report" => Kind::Report,
        "whitelist" => Kind::Whitelist,
        "ping" => return Ok(None),
        "pong" => {
            let _ = write!(data, "Count: {}\nWL-Count: 0\n", i64::MAX);
            return Ok(None);
        }
        _ => {
            let record = counters.get(first);
            let (report, whitelist) = (record.report, record.whitelist);
            if operation == "info" {
                let _ = write!(
                    data,
                    "Entered: {}\nUpdated: {}\nWL-Entered: {}\nWL-Updated: {}\n",
                    report.entered, report.updated, whitelist.entered, whitelist.updated
                );
            }
            let _ = write!(
                data,
                "Count: {}\nWL-Count: {}\n",
                report.count, whitelist.count
            );
            return Ok(None);
        }
    };
    match counters.count(kind, digests, now) {
        Ok(()) => Ok(Some(kind)),
        Err(_) => refusal(500, "Internal Server Error: No room for more digests"),
    }
}

#[cfg(test)]
mod tests;
