//! smtpd and qmqpd: sessions, accepted transactions, refusals (grammar 5.1).
//!
//! Postfix: `smtpd/smtpd.c`, `smtpd/smtpd_check.c`, `smtpd/smtpd_proxy.c`, `smtpd/smtpd_sasl_glue.c`,
//! `qmqpd/qmqpd.c`. Limits: what a SASL backend lets into a user name may imitate the attributes after it.

use super::{attrs, client, policy, reply, tail};
use crate::model::event::{Abend, Client, Event};

/// Reads what follows the queue id, or NOQUEUE when there is none.
#[must_use]
pub(super) fn of_message<'a>(queue_id: Option<&'a str>, text: &'a str) -> Option<Event<'a>> {
    if let Some(rest) = text.strip_prefix("client=") {
        return accept(queue_id, rest);
    }
    if let Some(rest) = text.strip_prefix("abort: TLS from ") {
        let (client, rest) = client::named(rest)?;
        return Some(Event::Refusal {
            action: rest.strip_prefix(": ")?,
            client,
            reason: text,
        });
    }
    if text.starts_with("reply filter ") {
        return Some(super::note(queue_id, text));
    }
    policy::parse(queue_id, text)
        .or_else(|| abort(queue_id, text))
        .or_else(|| qmqpd(queue_id, text))
}

/// Reads lines that name no message and carry no severity word.
#[must_use]
pub(super) fn of_session(text: &str) -> Option<Event<'_>> {
    if let Some(rest) = text.strip_prefix("connect from ") {
        return client::whole(rest).map(|client| Event::Connect { client });
    }
    if let Some(rest) = text.strip_prefix("disconnect from ") {
        let (client, commands) = client::named(rest)?;
        let commands = commands.strip_prefix(' ').unwrap_or(commands);
        return Some(Event::Disconnect { client, commands });
    }
    if let Some(rest) = text.strip_prefix("proxy-") {
        return proxy(rest);
    }
    if let Some(rest) = text.strip_prefix("improper command pipelining after ") {
        let (_, rest) = attrs::protocol_state(rest)?;
        let (client, _) = client::named(rest.strip_prefix(" from ")?)?;
        return Some(Event::Refusal {
            action: "improper command pipelining",
            client,
            reason: text,
        });
    }
    if text.starts_with("SSL_accept error from ") {
        return Some(super::problem(text));
    }
    abort(None, text)
}

/// Reads `client=...` with its attributes, which follow in fixed order; user names may hold commas, so the ones
/// behind them are taken from the right.
fn accept<'a>(queue_id: Option<&'a str>, text: &'a str) -> Option<Event<'a>> {
    let (client, mut rest) = client::named(text)?;
    let mut orig_client = None;
    let mut orig_queue_id = None;
    let mut sasl = (None, None, None);
    if !rest.is_empty() {
        if let Some((left, origin)) = rest.rsplit_once(", orig_client=")
            && client::whole(origin).is_some()
        {
            orig_client = Some(origin);
            rest = left;
        }
        if let Some((left, id)) = rest.rsplit_once(", orig_queue_id=")
            && !id.contains([',', ' '])
        {
            orig_queue_id = Some(id);
            rest = left;
        }
        sasl = sasl_attributes(rest)?;
    }
    let (sasl_method, sasl_username, sasl_sender) = sasl;
    Some(Event::Accept {
        queue_id,
        client,
        sasl_method,
        sasl_username,
        sasl_sender,
        orig_queue_id,
        orig_client,
    })
}

type Sasl<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn sasl_attributes(text: &str) -> Option<Sasl<'_>> {
    let mut rest = text;
    let (mut method, mut username, mut sender) = (None, None, None);
    if let Some(after) = rest.strip_prefix(", sasl_method=") {
        let (word, after) = attrs::until(after, |byte| matches!(byte, b',' | b' '));
        method = Some(word);
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(", sasl_username=") {
        (username, sender) = match after.rsplit_once(", sasl_sender=") {
            Some((name, sender)) if !sender.contains(' ') => (Some(name), Some(sender)),
            _ => (Some(after), None),
        };
    } else if let Some(after) = rest.strip_prefix(", sasl_sender=") {
        sender = Some(after).filter(|sender| !sender.contains(' '));
        sender?;
    } else if !rest.is_empty() {
        return None;
    }
    Some((method, username, sender))
}

/// Reads `timeout|lost connection|too many errors|bare <LF> received after {state}⟦ (n bytes)⟧ from {client}`.
fn abort<'a>(queue_id: Option<&'a str>, text: &'a str) -> Option<Event<'a>> {
    const KINDS: [(&str, Abend); 4] = [
        ("lost connection after ", Abend::LostConnection),
        ("timeout after ", Abend::Timeout),
        ("too many errors after ", Abend::TooManyErrors),
        ("bare <LF> received after ", Abend::BareLf),
    ];
    let (rest, abend) = KINDS
        .iter()
        .find_map(|(words, abend)| Some((text.strip_prefix(words)?, *abend)))?;
    let (protocol_state, mut rest) = attrs::protocol_state(rest)?;
    let mut bytes = None;
    if let Some(after) = rest.strip_prefix(" (") {
        let (count, after) = attrs::number(after)?;
        bytes = Some(count);
        rest = after.strip_prefix(" bytes)")?;
    }
    let client = client::whole(rest.strip_prefix(" from ")?)?;
    Some(Event::Abort {
        queue_id,
        abend,
        protocol_state,
        bytes,
        client,
    })
}

/// Reads qmqpd's `{client}: {reason} while {state}`.
fn qmqpd<'a>(queue_id: Option<&'a str>, text: &'a str) -> Option<Event<'a>> {
    let (_, rest) = client::named(text)?;
    let (_, state) = rest.strip_prefix(": ")?.rsplit_once(" while ")?;
    (!state.is_empty()).then(|| super::note(queue_id, text))
}

/// Reads `accept: END-OF-MESSAGE: {reply};{tail}` of a before-queue filter.
fn proxy(text: &str) -> Option<Event<'_>> {
    let (word, rest) = text.split_once(": ")?;
    let (protocol_state, rest) = attrs::protocol_state(rest)?;
    let (reason, tail) = tail::split(rest.strip_prefix(": ")?);
    match word {
        "accept" => Some(Event::ProxyAccept {
            protocol_state,
            reason,
            queued_as: reply::queued_as(reason),
            tail,
        }),
        "reject" => Some(Event::Policy(policy::policy(
            None,
            "proxy-reject",
            protocol_state,
            None,
            reason,
            tail,
        ))),
        _ => None,
    }
}

/// Reads a warning of smtpd: failed authentication, and refusals that have no reject line.
#[must_use]
pub(super) fn warning(text: &str) -> Option<Event<'_>> {
    const COUNTED: &str = " exceeded: ";
    if let Some((limit, rest)) = text.split_once(COUNTED)
        && limit.ends_with(" limit")
    {
        let (_, rest) = attrs::number::<u64>(rest)?;
        let (client, _) = client::named(rest.strip_prefix(" from ")?)?;
        return Some(refusal(
            text.get(..limit.len() + COUNTED.len() - 2)?,
            client,
            text,
        ));
    }
    for action in [
        "non-SMTP command",
        "Illegal address syntax",
        "Refusing STARTTLS request",
    ] {
        if let Some(rest) = text.strip_prefix(action) {
            let (client, _) = client::named(rest.strip_prefix(" from ")?)?;
            return Some(refusal(action, client, text));
        }
    }
    let (client, rest) = client::named(text)?;
    auth_failure(client, rest.strip_prefix(": SASL ")?)
}

fn refusal<'a>(action: &'a str, client: Client<'a>, reason: &'a str) -> Event<'a> {
    Event::Refusal {
        action,
        client,
        reason,
    }
}

/// Reads `{mech} authentication failed: {reason}⟦, sasl_username={u}⟧`; the user name is all to the end.
fn auth_failure<'a>(client: Client<'a>, text: &'a str) -> Option<Event<'a>> {
    let (sasl_method, rest) = attrs::until(text, |byte| byte == b' ');
    let rest = rest.strip_prefix(" authentication ")?;
    let (reason, sasl_username) = if rest.starts_with("aborted") {
        (rest, None)
    } else {
        let rest = rest.strip_prefix("failed:")?;
        match rest.split_once(", sasl_username=") {
            Some((reason, username)) => (reason, Some(username)),
            None => (rest, None),
        }
    };
    Some(Event::AuthFailure {
        client,
        sasl_method,
        sasl_username,
        reason: reason.trim(),
    })
}
