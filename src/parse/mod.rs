//! Parse: what one log line means. Entry in, Event out, nothing kept.
//!
//! [`parse`] is total: every text under every identifier gives an event. A line of Postfix that nothing here knows is
//! [`Event::Other`], never a guess; lines that are known not to matter are [`Event::Ignored`].
//!
//! What an outsider can choose (addresses, HELO names, replies, headers) may imitate any of our keywords. So lines are
//! read from the left by program, queue id and keyword, which Postfix writes, and hostile middles are closed in from
//! both ends (grammar section 9). No regex: a line costs a few hundred nanoseconds.
//!
//! Limits: entries that claim to be Postfix but are proven forged look like any other here; the correlator drops them.

mod address;
mod attrs;
mod bounce;
mod cleanup;
mod client;
mod delivery;
mod dovecot;
mod ignored;
mod loss;
mod mailscanner;
mod master;
mod neighbour;
mod pickup;
mod pmg;
mod policy;
mod postscreen;
mod postsuper;
mod program;
mod qmgr;
pub mod queue_id;
mod reply;
mod rule;
mod smtp;
mod smtpd;
mod tail;
mod template;

use crate::model::entry::Entry;
use crate::model::event::{Event, Level};
use program::{Origin, Program};

pub use rule::{content_class, rule_classes};
pub use template::template;

/// Returns what the line means.
#[must_use]
pub fn parse<'a>(entry: &Entry<'a>) -> Event<'a> {
    match program::origin(entry.ident) {
        // Copies of logs have blanks at line ends; Postfix itself writes none that matter.
        Origin::Postfix(program) => postfix(program, entry.text.trim_end()),
        Origin::Neighbour(daemon) => neighbour::parse(daemon, entry.text),
        Origin::DovecotFile => {
            dovecot::of_file(entry.ident, entry.text).map_or(Event::Ignored, Event::Neighbour)
        }
        Origin::Carrier => loss::parse(entry.text),
        Origin::Foreign => Event::Foreign,
    }
}

/// Tells whether lines under this identifier can mean anything here: Postfix, its neighbours, carriers of the log.
#[must_use]
pub fn bears_on_mail(ident: &str) -> bool {
    program::origin(ident) != Origin::Foreign
}

fn postfix(program: Program, text: &str) -> Event<'_> {
    let (level, body) = severity(text);
    if level != Level::Info {
        return complaint(program, level, body);
    }
    let (queue_id, event) = match queue_id::split(text) {
        Some((id, rest)) => (Some(id), of_message(program, id, rest)),
        None => match text.strip_prefix("NOQUEUE: ") {
            Some(rest) => (Some("NOQUEUE"), of_no_message(program, text, rest)),
            None => (
                None,
                of_session(program, text)
                    .or_else(|| ignored::parse(text))
                    .or_else(|| of_any(text)),
            ),
        },
    };
    event.unwrap_or(Event::Other { queue_id, text })
}

/// Splits the severity word off (grammar 2.4).
fn severity(text: &str) -> (Level, &str) {
    for level in [Level::Warning, Level::Error, Level::Fatal, Level::Panic] {
        if let Some(rest) = text
            .strip_prefix(level.name())
            .and_then(|rest| rest.strip_prefix(": "))
        {
            return (level, rest);
        }
    }
    (Level::Info, text)
}

/// Reads a line behind a queue id. Delivery records come from any program.
fn of_message<'a>(program: Program, queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    if let Some(rest) = text.strip_prefix("to=<") {
        return delivery::parse(queue_id, rest).map(Event::Delivery);
    }
    match program {
        Program::Smtpd => smtpd::of_message(Some(queue_id), text),
        Program::Cleanup => cleanup::of_message(queue_id, text),
        Program::Qmgr => qmgr::of_message(queue_id, text),
        Program::Pickup => pickup::of_message(queue_id, text),
        Program::Bounce => bounce::of_message(queue_id, text),
        Program::Smtp => smtp::of_message(queue_id, text),
        Program::Postsuper => postsuper::of_message(queue_id, text),
        Program::Agent => smtp::passing(queue_id, text),
        Program::Unknown => smtpd::of_message(Some(queue_id), text)
            .or_else(|| cleanup::of_message(queue_id, text))
            .or_else(|| qmgr::of_message(queue_id, text))
            .or_else(|| pickup::of_message(queue_id, text))
            .or_else(|| bounce::of_message(queue_id, text))
            .or_else(|| postsuper::of_message(queue_id, text))
            .or_else(|| smtp::of_message(queue_id, text)),
        Program::Postscreen | Program::Master | Program::Script | Program::Other => None,
    }
}

/// Reads a line behind NOQUEUE.
fn of_no_message<'a>(program: Program, text: &'a str, rest: &'a str) -> Option<Event<'a>> {
    match program {
        Program::Postscreen => postscreen::parse(text),
        // postscreen knows no name of the client.
        Program::Unknown if is_of_address(rest) => postscreen::parse(text),
        Program::Smtpd | Program::Unknown => smtpd::of_message(None, rest),
        _ => None,
    }
}

fn is_of_address(text: &str) -> bool {
    text.split_once(" from ")
        .is_some_and(|(_, client)| client.starts_with('['))
}

/// Reads a line that several programs write and that names no message.
fn of_any(text: &str) -> Option<Event<'_>> {
    let is_tls_trouble = text
        .starts_with("cannot set default OpenSSL certificate verification paths")
        || text.starts_with("cannot ") && text.ends_with("disabling TLS support");
    if is_tls_trouble {
        return Some(problem(text));
    }
    // smtpd_command_filter, smtp_reply_filter.
    let (_, rest) = client::named(text)?;
    let rest = rest.strip_prefix(": replacing ")?;
    ["command \"", "client command \"", "server reply \""]
        .iter()
        .any(|what| rest.starts_with(what))
        .then(|| note(None, text))
}

/// Reads a line that names no message.
fn of_session(program: Program, text: &str) -> Option<Event<'_>> {
    match program {
        Program::Smtpd => smtpd::of_session(text).or_else(|| smtp::tls(text)),
        Program::Smtp => smtp::tls(text).or_else(|| smtp::of_session(text)),
        Program::Postscreen => postscreen::parse(text),
        Program::Postsuper => postsuper::summary(text),
        Program::Master => master::of_master(text),
        Program::Script => master::of_script(text),
        Program::Unknown => smtpd::of_session(text)
            .or_else(|| smtp::tls(text))
            .or_else(|| smtp::of_session(text))
            .or_else(|| postscreen::parse(text))
            .or_else(|| postsuper::summary(text))
            .or_else(|| master::of_master(text))
            .or_else(|| master::of_script(text)),
        // tlsproxy, on behalf of postscreen and smtp.
        Program::Other => smtp::tls(text),
        _ => None,
    }
}

/// Reads a line behind a severity word.
fn complaint(program: Program, level: Level, text: &str) -> Event<'_> {
    if let Some((id, rest)) = queue_id::split(text) {
        return Event::Note {
            queue_id: Some(id),
            level,
            text: rest,
        };
    }
    let event = match program {
        Program::Smtpd => smtpd::warning(text),
        Program::Qmgr => qmgr::warning(text),
        Program::Unknown => smtpd::warning(text).or_else(|| qmgr::warning(text)),
        _ => None,
    };
    event.unwrap_or(Event::Problem { level, text })
}

/// A line that is known, may name a message, and changes nothing.
fn note<'a>(queue_id: Option<&'a str>, text: &'a str) -> Event<'a> {
    Event::Note {
        queue_id,
        level: Level::Info,
        text,
    }
}

/// A complaint that Postfix logs without a severity word.
fn problem(text: &str) -> Event<'_> {
    Event::Problem {
        level: Level::Info,
        text,
    }
}

#[cfg(test)]
mod tests;
