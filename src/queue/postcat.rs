//! Postcat: what `postcat -eh` prints of queue files -> mails with their headers.
//!
//! A file begins with `*** ENVELOPE RECORDS path ***`; its queue and id are those of the path. Envelope addresses stand there as Postfix has
//! them inside, so local parts get the quotes that listings give them. Recipients that are done are none that wait.
//! Limits: errors stand in other files (`defer`); `postsuper -e` marks the mode of the file only.

use super::header::Headers;
use super::listing::{Options, Texts};
use super::mail::{Client, Mail, Status};
use crate::model::time::Time;
use chrono::NaiveDateTime;
use compact_str::CompactString;
use std::io::{self, BufRead};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Before,
    Envelope,
    Headers,
    After,
}

#[derive(Debug)]
struct Draft {
    mail: Mail,
    client: Client,
    headers: Headers,
    /// Written by Postfix 2.9 and later beside the time of the file.
    has_arrival: bool,
}

/// Reads what postcat printed of any number of files, and hands on each mail.
///
/// # Errors
/// When the input cannot be read, or `each` fails.
pub fn read(
    mut input: impl BufRead,
    options: &Options,
    mut each: impl FnMut(Mail) -> io::Result<()>,
) -> io::Result<()> {
    let mut texts = Texts::default();
    let mut draft: Option<Draft> = None;
    let mut section = Section::Before;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\r', '\n']);
        if let Some((name, path)) = marker(text) {
            section = match name {
                "ENVELOPE RECORDS" => {
                    if let Some(done) = draft.replace(begin(path)) {
                        each(finish(done))?;
                    }
                    Section::Envelope
                }
                "MESSAGE CONTENTS" => Section::Headers,
                "HEADER EXTRACTED" => Section::Envelope,
                _ => Section::After,
            };
            continue;
        }
        let Some(draft) = &mut draft else {
            continue;
        };
        match section {
            Section::Envelope => envelope(draft, text, options, &mut texts),
            // The body is nobody's business here.
            Section::Headers if text.is_empty() => section = Section::After,
            Section::Headers => draft.headers.take(text),
            Section::Before | Section::After => {}
        }
    }
    match draft {
        Some(done) => each(finish(done)),
        None => Ok(()),
    }
}

/// Returns the name of a section and the file's path.
pub(super) fn marker(line: &str) -> Option<(&str, &str)> {
    const NAMES: [&str; 4] = [
        "ENVELOPE RECORDS",
        "MESSAGE CONTENTS",
        "HEADER EXTRACTED",
        "MESSAGE FILE END",
    ];
    let inside = line.strip_prefix("*** ")?.strip_suffix(" ***")?;
    NAMES
        .iter()
        .find_map(|name| Some((*name, inside.strip_prefix(name)?.strip_prefix(' ')?)))
}

fn begin(path: &str) -> Draft {
    let mut parts = path.rsplit('/');
    let mut mail = Mail::new(parts.next().unwrap_or_default());
    let queue = parts.map(Status::named);
    let mut known = queue.filter(|status| !matches!(status, Status::Other(_)));
    mail.status = known.next().unwrap_or(Status::Other("".into()));
    Draft {
        mail,
        client: Client::default(),
        headers: Headers::default(),
        has_arrival: false,
    }
}

fn finish(draft: Draft) -> Mail {
    let mut mail = draft.mail;
    if draft.client != Client::default() {
        mail.client = Some(Box::new(draft.client));
    }
    mail.headers = Some(draft.headers.finish());
    mail
}

fn envelope(draft: &mut Draft, line: &str, options: &Options, texts: &mut Texts) {
    let Some((name, value)) = line.split_once(':') else {
        return;
    };
    let value = value.strip_prefix(' ').unwrap_or(value);
    let mail = &mut draft.mail;
    match name {
        "message_size" => {
            mail.size = value.split_whitespace().next().and_then(|n| n.parse().ok());
        }
        "message_arrival_time" => {
            mail.arrival = time(value, options).or(mail.arrival);
            draft.has_arrival = mail.arrival.is_some();
        }
        "create_time" if !draft.has_arrival => mail.arrival = time(value, options),
        "sender" => mail.sender = Some(quoted(value).into()),
        "recipient" => mail.recipients.push(texts.recipient(&quoted(value), None)),
        "named_attribute" => attribute(&mut draft.client, value),
        _ => {}
    }
}

fn attribute(client: &mut Client, text: &str) {
    let Some((name, value)) = text.split_once('=') else {
        return;
    };
    let value = || Some(CompactString::from(value));
    match name {
        "log_client_name" => client.name = value(),
        "log_client_address" => client.address = value(),
        "sasl_username" => client.user = value(),
        _ => {}
    }
}

fn time(text: &str, options: &Options) -> Option<Time> {
    let wall = NaiveDateTime::parse_from_str(text.trim(), "%a %b %e %H:%M:%S %Y").ok()?;
    Some(options.zone.instant(wall))
}

/// Returns the address with quotes around a local part that needs them, as listings show it.
#[must_use]
pub fn quoted(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return address.to_owned();
    };
    let is_plain =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_dot_string = local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_plain));
    if is_dot_string {
        return address.to_owned();
    }
    let local = local.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{local}\"@{domain}")
}
