//! postscreen: tests in front of smtpd (grammar 5.2). Never a queue id.
//!
//! Postfix: `postscreen/postscreen.c`, `postscreen_misc.c`, `postscreen_early.c`, `postscreen_smtpd.c`. Payload is
//! printed with C escapes behind the client, so the client is a fact.

use super::{attrs, client, policy};
use crate::model::event::{Event, Tail};

/// Words in front of the client; a count or time may come in between.
const ACTIONS: [&str; 20] = [
    "PASS OLD ",
    "PASS NEW ",
    "ALLOWLISTED ",
    "DENYLISTED ",
    "WHITELISTED ",
    "BLACKLISTED ",
    "ALLOWLIST VETO ",
    "WHITELIST VETO ",
    "BARE NEWLINE from ",
    "COMMAND PIPELINING from ",
    "NON-SMTP COMMAND from ",
    "COMMAND TIME LIMIT from ",
    "COMMAND COUNT LIMIT from ",
    "COMMAND LENGTH LIMIT from ",
    "DATA without valid RCPT from ",
    "BDAT without valid RCPT from ",
    "PREGREET ",
    "HANGUP ",
    "DNSBL rank ",
    "reject: connect from ",
];

/// Reads a line of postscreen that carries no severity word.
#[must_use]
pub(super) fn parse(text: &str) -> Option<Event<'_>> {
    if let Some(rest) = text.strip_prefix("CONNECT from ") {
        return client::nameless(rest).map(|(client, _)| Event::Connect { client });
    }
    if let Some(rest) = text.strip_prefix("DISCONNECT ") {
        let (client, rest) = client::nameless(rest)?;
        return rest.is_empty().then_some(Event::Disconnect {
            client,
            commands: "",
        });
    }
    if let Some(rest) = text.strip_prefix("NOQUEUE: ") {
        return policy::parse(None, rest);
    }
    let action = ACTIONS
        .iter()
        .find_map(|words| Some((*words, text.strip_prefix(words)?)));
    let Some((words, rest)) = action else {
        // What a client sent may say so, too, behind one of the actions.
        return text
            .contains(" STRESS mode with ")
            .then(|| super::problem(text));
    };
    let rest = match words {
        "PREGREET " => after_time(attrs::number::<u64>(rest)?.1.strip_prefix(' ')?)?,
        "HANGUP " => after_time(rest)?,
        "DNSBL rank " => {
            let rank = rest.strip_prefix('-').unwrap_or(rest);
            attrs::number::<u32>(rank)?.1.strip_prefix(" for ")?
        }
        _ => rest,
    };
    let (client, rest) = client::nameless(rest)?;
    if words == "reject: connect from " {
        let reason = rest.strip_prefix(": ")?;
        let tail = Tail::default();
        let policy = policy::of_postscreen("CONNECT", client, "reject", reason, tail);
        return Some(Event::Policy(policy));
    }
    Some(Event::Postscreen {
        client,
        action: words
            .strip_suffix(" from ")
            .unwrap_or_else(|| words.trim_end()),
    })
}

/// Skips `after {seconds} from `.
fn after_time(text: &str) -> Option<&str> {
    let (_, rest) = attrs::seconds(text.strip_prefix("after ")?)?;
    rest.strip_prefix(" from ")
}
