//! Json: a line of `postqueue -j` -> mails; one, or as many as a JSON tool wrote into one line.
//!
//! Each member is read for itself: what is missing or of another type is unknown, and the mail says that it is odd. Members that are not
//! listed in postqueue(1) are passed over.

use super::listing::Texts;
use super::mail::{Mail, NULL_SENDER, Status};
use crate::model::time::{SECOND, Time};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What a part of a line holds.
pub(super) enum Found {
    Mail(Box<Mail>),
    Odd(&'static str),
}

/// Returns whether it is a part of a list that a JSON tool made of the objects.
pub(super) fn is_list(line: &str) -> bool {
    let inside = line.trim_start_matches(BETWEEN);
    inside.len() < line.len() && (inside.is_empty() || inside.starts_with('{'))
}

/// What stands before, between and behind the objects of a list.
const BETWEEN: [char; 5] = ['[', ',', ']', ' ', '\t'];

/// Reads a line, and hands on what it holds.
pub(super) fn mails(line: &str, texts: &mut Texts, mut take: impl FnMut(Found)) {
    let mut rest = line.trim_start_matches(BETWEEN);
    while !rest.is_empty() {
        let (found, read) = first(rest, texts);
        take(found);
        rest = rest.get(read..).unwrap_or_default();
        rest = rest.trim_start_matches(BETWEEN);
    }
}

/// Reads the object at the start of the text; returns the bytes that it takes, all where it is none.
fn first(text: &str, texts: &mut Texts) -> (Found, usize) {
    // As Postfix writes it; what is not is looked at member by member.
    let mut usual = serde_json::Deserializer::from_str(text).into_iter::<Usual<'_>>();
    if let Some(Ok(object)) = usual.next()
        && let Some(mail) = object.mail(texts)
    {
        return (Found::Mail(Box::new(mail)), usual.byte_offset());
    }
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    let found = match objects.next() {
        Some(Ok(members)) => match read(&members, texts) {
            Some(mail) => Found::Mail(Box::new(mail)),
            None => Found::Odd("an object without a queue_id"),
        },
        Some(Err(error)) if error.is_eof() => return (Found::Odd(CUT_OFF), text.len()),
        _ => return (Found::Odd("not valid JSON"), text.len()),
    };
    (found, objects.byte_offset())
}

/// Why an object without an end is odd.
pub(super) const CUT_OFF: &str = "an object that is cut off";

/// An object with all that it should have, in the types that it should have.
#[derive(Deserialize)]
struct Usual<'a> {
    #[serde(borrow)]
    queue_name: Cow<'a, str>,
    #[serde(borrow)]
    queue_id: Cow<'a, str>,
    arrival_time: i64,
    message_size: u64,
    #[serde(default)]
    forced_expire: bool,
    #[serde(borrow)]
    sender: Cow<'a, str>,
    #[serde(borrow)]
    recipients: Vec<UsualRecipient<'a>>,
}

#[derive(Deserialize)]
struct UsualRecipient<'a> {
    #[serde(borrow)]
    address: Cow<'a, str>,
    #[serde(borrow, default)]
    delay_reason: Option<Cow<'a, str>>,
}

impl Usual<'_> {
    /// Returns the mail; none where there is something odd about it after all.
    fn mail(&self, texts: &mut Texts) -> Option<Mail> {
        if self.queue_id.is_empty() {
            return None;
        }
        let arrival = self.arrival_time.checked_mul(SECOND).map(Time);
        let mut mail = Mail::new(&self.queue_id);
        mail.arrival = Some(arrival.filter(|time| time.to_utc().is_some())?);
        mail.status = Status::named(&self.queue_name);
        mail.forced_expire = self.forced_expire;
        mail.size = Some(self.message_size);
        mail.sender = Some(match &*self.sender {
            NULL_SENDER => "".into(),
            sender => sender.into(),
        });
        let recipients = self.recipients.iter();
        let each = recipients.map(|r| texts.recipient(&r.address, r.delay_reason.as_deref()));
        mail.recipients = each.collect();
        Some(mail)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_read_as_member_by_member() {
        for line in [
            r#"{"queue_name": "hold", "queue_id": "4jc6", "arrival_time": 1795231305, "message_size": 328, "forced_expire": true, "sender": "a@late.test", "recipients": [{"address": "\"john smith\"@late.test", "delay_reason": "said: \u00e4"}, {"address": "b@late.test"}]}"#,
            r#"{"queue_name": "later", "queue_id": "A1", "arrival_time": 1, "message_size": 0, "sender": "MAILER-DAEMON", "recipients": [], "more": [1]}"#,
            r#"{"queue_name": "active", "queue_id": "A1", "arrival_time": 1, "message_size": 7, "sender": "", "recipients": [{"address": "x", "delay_reason": ""}]}"#,
        ] {
            let usual: Usual<'_> = serde_json::from_str(line).unwrap();
            let members: Map<String, Value> = serde_json::from_str(line).unwrap();
            let mut texts = Texts::default();
            assert_eq!(usual.mail(&mut texts), read(&members, &mut texts), "{line}");
        }
    }

    #[test]
    fn what_is_unusual_is_still_a_mail() {
        let mut texts = Texts::default();
        for line in [
            r#"{"queue_id": "A1"}"#,
            r#"{"queue_name": 7, "queue_id": "A1", "recipients": "x"}"#,
            r#"{"queue_name": "active", "queue_id": "A1", "arrival_time": 9223372036854775807, "message_size": 7, "sender": "a", "recipients": []}"#,
            r#"{"queue_name": "active", "queue_id": "A1", "arrival_time": 1, "message_size": 7, "sender": "a", "sender": "b", "recipients": [{"address": 1}]}"#,
        ] {
            let (Found::Mail(mail), read) = first(line, &mut texts) else {
                panic!("{line}");
            };
            assert_eq!((mail.queue_id.as_str(), read), ("A1", line.len()));
            assert!(mail.odd.is_some(), "{line}");
        }
    }
}
