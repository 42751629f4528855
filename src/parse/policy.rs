//! Policy lines: `{queue_id}|NOQUEUE: {action}: {state} from {client}: {text};{tail}` of smtpd, postscreen, milters.
//!
//! Postfix: `smtpd/smtpd_check.c` (`log_whatsup`), `smtpd/smtpd.c`, `cleanup/cleanup_milter.c`,
//! `postscreen/postscreen_smtpd.c`. Facts are what stands left of the text, and the codes it begins with.

use super::rule::rule_class;
use super::{attrs, client, tail};
use crate::model::event::{Client, Event, Policy, Tail};

/// What smtpd can do at a restriction, and milters at any stage.
const ACTIONS: [&str; 15] = [
    "reject",
    "milter-reject",
    "reject_warning",
    "hold",
    "discard",
    "redirect",
    "filter",
    "bcc",
    "warn",
    "info",
    "permit",
    "delay",
    "hangup",
    "milter-hold",
    "milter-discard",
];

/// Reads what follows the queue id or NOQUEUE.
#[must_use]
pub(super) fn parse<'a>(queue_id: Option<&'a str>, text: &'a str) -> Option<Event<'a>> {
    let (action, rest) = attrs::until(text, |byte| {
        !(byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'))
    });
    let rest = rest.strip_prefix(": ")?;
    if !ACTIONS.contains(&action) {
        return None;
    }
    let (protocol_state, rest) = attrs::protocol_state(rest)?;
    let (client, rest) = client::any(rest.strip_prefix(" from ")?)?;
    let text = rest.strip_prefix(':')?;
    let text = text.strip_prefix(' ').unwrap_or(text);
    if client.name.is_empty() {
        return Some(postscreen(action, protocol_state, client, text));
    }
    let (reason, tail) = tail::split(text);
    Some(Event::Policy(policy(
        queue_id,
        action,
        protocol_state,
        Some(client),
        reason,
        tail,
    )))
}

/// Puts a policy together, reading the codes at the left of its text.
#[must_use]
pub(super) fn policy<'a>(
    queue_id: Option<&'a str>,
    action: &'a str,
    protocol_state: &'a str,
    client: Option<Client<'a>>,
    reason: &'a str,
    tail: Tail<'a>,
) -> Policy<'a> {
    let (reply_code, rest) = match attrs::reply_code(reason) {
        Some((code, rest)) => (Some(code), rest),
        None => (None, reason),
    };
    let mut policy = Policy {
        queue_id,
        action,
        protocol_state,
        client,
        reply_code,
        dsn: attrs::dsn(rest).map(|(dsn, _)| dsn),
        reason,
        dnsbl: dnsbl(rest),
        tail,
        ..Policy::default()
    };
    // Finding the class takes longer than all else, and several ask for it.
    policy.rule = rule_class(&policy);
    policy
}

/// Returns a policy statement of postscreen.
pub(super) fn of_postscreen<'a>(
    protocol_state: &'a str,
    client: Client<'a>,
    action: &'a str,
    reason: &'a str,
    tail: Tail<'a>,
) -> Policy<'a> {
    let mut policy = policy(None, action, protocol_state, Some(client), reason, tail);
    policy.is_postscreen = true;
    policy.rule = rule_class(&policy);
    policy
}

/// Returns the list of `{class} [{what}] blocked using {list}`.
///
/// Texts that begin with `<` quote the client's own words first; the bracket in front closes `{what}`, which a
/// client may choose too, so the last one counts.
fn dnsbl(text: &str) -> Option<&str> {
    let text = attrs::dsn(text).map_or(text, |(_, rest)| rest.trim_start());
    if text.starts_with('<') {
        return None;
    }
    let (_, list) = text.rsplit_once("] blocked using ")?;
    let (list, _) = attrs::until(list, |byte| matches!(byte, b' ' | b';' | b','));
    Some(list).filter(|list| !list.is_empty())
}

/// Reads postscreen's form of the tail, `; from=<a>, to=<b>, proto=p, helo=<h>`.
///
/// The text in front is postscreen's own, so the first semicolon with a sender begins the tail. What is inside is
/// spoofable by design: addresses and HELO name are printed raw.
fn postscreen<'a>(
    action: &'a str,
    protocol_state: &'a str,
    client: Client<'a>,
    text: &'a str,
) -> Event<'a> {
    let (reason, tail) = match text.split_once("; from=<") {
        Some((reason, rest)) => match comma_tail(rest) {
            Some(tail) => (reason, tail),
            None => (text, Tail::default()),
        },
        None => (text, Tail::default()),
    };
    Event::Policy(of_postscreen(protocol_state, client, action, reason, tail))
}

fn comma_tail(text: &str) -> Option<Tail<'_>> {
    let (rest, helo_name) = match text.strip_suffix('>')?.rsplit_once(", helo=<") {
        Some((rest, helo_name)) => (rest, Some(helo_name)),
        None => (text, None),
    };
    let (addresses, protocol_name) = rest.rsplit_once(", proto=")?;
    let (sender, recipient) = addresses.strip_suffix('>')?.split_once(">, to=<")?;
    Some(Tail {
        sender: Some(sender),
        recipient: Some(recipient),
        protocol_name: Some(protocol_name),
        helo_name,
        ..Tail::default()
    })
}
