//! Json: a line of `postqueue -j` -> mail.
//!
//! Each member is read for itself: what is missing or of another type is unknown, and the mail says that it is odd. Members that are not
//! listed in postqueue(1) are passed over.

use super::listing::Texts;
use super::mail::{Mail, NULL_SENDER, Status};
use crate::model::time::{SECOND, Time};
use serde_json::{Map, Value};

/// What a line holds.
pub(super) enum Found {
    Mail(Box<Mail>),
    /// The brackets of a list.
    Nothing,
    Odd(&'static str),
}

/// Returns whether it is a part of a list that a JSON tool made of the objects.
pub(super) fn is_list(line: &str) -> bool {
    matches!(line, "[" | "]" | "[]" | ",") || line.starts_with("[{") || line.starts_with(",{")
}

/// Reads a line.
pub(super) fn mail(line: &str, texts: &mut Texts) -> Found {
    let object = line.trim_start_matches(['[', ',', ' ']);
    let object = object.trim_end_matches([',', ' ']);
    if object.trim_end_matches(']').is_empty() {
        return Found::Nothing;
    }
    let parse = |text: &str| serde_json::from_str::<Map<String, Value>>(text);
    let parsed = parse(object).or_else(|_| parse(object.trim_end_matches(']')));
    match parsed {
        Ok(members) => match read(&members, texts) {
            Some(mail) => Found::Mail(Box::new(mail)),
            None => Found::Odd("an object without a queue_id"),
        },
        Err(error) if error.is_eof() => Found::Odd("an object that is cut off"),
        Err(_) => Found::Odd("not valid JSON"),
    }
}

fn read(members: &Map<String, Value>, texts: &mut Texts) -> Option<Mail> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let queue_id = text("queue_id").filter(|id| !id.is_empty())?;
    let mut mail = Mail::new(queue_id);
    let mut odd = None;
    match text("queue_name") {
        Some(name) => mail.status = Status::named(name),
        None => odd = Some("no queue_name"),
    }
    mail.forced_expire = members.get("forced_expire") == Some(&Value::Bool(true));
    mail.arrival = members
        .get("arrival_time")
        .and_then(number)
        .and_then(|seconds| seconds.checked_mul(SECOND))
        .map(Time)
        .filter(|time| time.to_utc().is_some());
    mail.size = members.get("message_size").and_then(|size| match size {
        Value::String(size) => size.parse().ok(),
        size => size.as_u64(),
    });
    mail.sender = text("sender").map(|sender| match sender {
        NULL_SENDER => "".into(),
        sender => sender.into(),
    });
    let is_partly_known = mail.arrival.is_none() || mail.size.is_none() || mail.sender.is_none();
    if is_partly_known {
        odd = odd.or(Some("arrival_time, message_size or sender cannot be read"));
    }
    match members.get("recipients") {
        Some(Value::Array(recipients)) => {
            for recipient in recipients {
                let part = |name: &str| recipient.get(name).and_then(Value::as_str);
                match part("address").or_else(|| recipient.as_str()) {
                    Some(address) => {
                        let recipient = texts.recipient(address, part("delay_reason"));
                        mail.recipients.push(recipient);
                    }
                    None => odd = odd.or(Some("a recipient without an address")),
                }
            }
        }
        _ => odd = odd.or(Some("no recipients")),
    }
    mail.odd = odd;
    Some(mail)
}

/// Reads a whole number, also of a JSON tool that makes `1.7e9` or text of it.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_i64().or_else(|| {
            let seconds = value.as_f64().filter(|seconds| seconds.abs() < 1e15)?;
            #[expect(clippy::cast_possible_truncation, reason = "far below the limit")]
            let whole = seconds as i64;
            Some(whole)
        }),
    }
}
