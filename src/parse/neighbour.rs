//! Other mail daemons whose lines name our queue ids, message ids or clients (grammar section 11).
//!
//! They never change the state of mail. Written by amavis, rspamd, opendkim, opendmarc, dovecot, postgrey,
//! policyd-spf, spamd, clamav-milter, pmg-smtp-filter and like milters; known from published samples, so the forms are softer than
//! Postfix's. Limits: ids behind hostile text count only when one reading of the line is possible.

use super::queue_id::is_queue_id;
use super::{address, attrs, dovecot};
use crate::model::event::{Event, Neighbour};

/// A daemon, as far as its texts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Daemon {
    /// amavisd.
    Amavis,
    /// rspamd.
    Rspamd,
    /// A milter that begins its lines with the queue id; its name.
    Milter(&'static str),
    /// dovecot: lmtp, lda; the rest does not concern us.
    Dovecot,
    /// Cyrus: lmtpd.
    Cyrus,
    /// postgrey.
    Postgrey,
    /// policyd-spf.
    Spf,
    /// spamd of Apache's spam filter.
    Spamd,
    /// clamav-milter.
    Clamav,
    /// `MailScanner`, which works on the hold queue.
    MailScanner,
    /// pmg-smtp-filter of Proxmox Mail Gateway.
    Pmg,
}

/// Returns the daemon of that name.
#[must_use]
pub(super) fn daemon(name: &str) -> Option<Daemon> {
    Some(match name {
        "dovecot" | "dovecot-lda" | "dovecot-lmtp" => Daemon::Dovecot,
        "lmtpd" | "lmtpunix" => Daemon::Cyrus,
        "amavis" | "amavisd" | "amavisd-new" => Daemon::Amavis,
        "rspamd" => Daemon::Rspamd,
        "opendkim" => Daemon::Milter("opendkim"),
        "opendmarc" => Daemon::Milter("opendmarc"),
        "openarc" => Daemon::Milter("openarc"),
        "dkimpy-milter" => Daemon::Milter("dkimpy-milter"),
        "milter-greylist" => Daemon::Milter("milter-greylist"),
        "pyspf-milter" => Daemon::Milter("pyspf-milter"),
        "postgrey" => Daemon::Postgrey,
        "policyd-spf" | "policy-spf" => Daemon::Spf,
        "spamd" => Daemon::Spamd,
        "clamav-milter" => Daemon::Clamav,
        "MailScanner" | "mailscanner" => Daemon::MailScanner,
        "pmg-smtp-filter" => Daemon::Pmg,
        _ => return None,
    })
}

/// Reads a line of the daemon; what does not concern a message is ignored.
#[must_use]
pub(super) fn parse(daemon: Daemon, text: &str) -> Event<'_> {
    let found = match daemon {
        Daemon::Amavis => amavis(text),
        Daemon::Rspamd => rspamd(text),
        Daemon::Milter(name) => milter(name, text),
        Daemon::Dovecot => dovecot::dovecot(text),
        Daemon::Cyrus => dovecot::cyrus(text),
        Daemon::Postgrey => postgrey(text),
        Daemon::Spf => spf(text),
        Daemon::Spamd => spamd(text),
        Daemon::Clamav => clamav(text),
        Daemon::MailScanner => super::mailscanner::parse(text),
        Daemon::Pmg => super::pmg::parse(text),
    };
    found.map_or(Event::Ignored, Event::Neighbour)
}

/// `(id) Passed CLEAN {RelayedInbound}, ... <s> -> <r>, Queue-ID: P, Message-ID: <...>, ... queued_as: C, ...`.
fn amavis(text: &str) -> Option<Neighbour<'_>> {
    let (_, rest) = text.strip_prefix('(')?.split_once(") ")?;
    if !(rest.starts_with("Passed ") || rest.starts_with("Blocked ")) {
        return None;
    }
    let end = rest.find([',', '{'])?;
    let (verdict, rest) = rest.split_at_checked(end)?;
    let (queue_id, after) = match outside_brackets(rest, ", Queue-ID: ") {
        Some(after) => {
            let (id, after) = attrs::until(after, |byte| byte == b',');
            (Some(id).filter(|id| is_queue_id(id)), after)
        }
        None => (None, rest),
    };
    let message_id = outside_brackets(after, ", Message-ID: ")
        .and_then(|id| {
            address::ends(id.strip_prefix('<')?)
                .next()
                .map(|(inner, _)| (id, inner))
        })
        .and_then(|(id, inner)| id.get(..inner.len() + 2));
    let queued_as = outside_brackets(after, ", queued_as: ")
        .map(|id| attrs::until(id, |byte| matches!(byte, b',' | b'/' | b' ')).0)
        .filter(|id| is_queue_id(id));
    let hits = outside_brackets(after, ", Hits: ");
    Some(Neighbour {
        daemon: "amavis",
        queue_id,
        queued_as,
        message_id,
        verdict: verdict.trim_end(),
        detail: hits.map(|hits| attrs::until(hits, |byte| byte == b',').0),
        ..Neighbour::default()
    })
}

/// Returns what follows the first `label` that is not part of an address or message id.
fn outside_brackets<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let open = rest.find('<').unwrap_or(rest.len());
        let (plain, bracket) = rest.split_at_checked(open)?;
        if let Some((before, _)) = plain.split_once(label) {
            return rest.get(before.len() + label.len()..);
        }
        // The label's own value may begin with the bracket.
        if let Some(left) = plain.strip_suffix(label) {
            return rest.get(left.len() + label.len()..);
        }
        (_, rest) = address::ends(bracket.strip_prefix('<')?).next()?;
    }
}

/// `<tag>; task; rspamd_task_write_log: id: <mid>, qid: <qid>, ip: ..., (default: F (no action): [...`.
fn rspamd(text: &str) -> Option<Neighbour<'_>> {
    let (_, rest) = text.split_once("rspamd_task_write_log: id: ")?;
    let (message_id, after) = rest.split_once(", qid: <")?;
    let (queue_id, _) = after.split_once('>')?;
    // A second label is a forgery of one of the two: then neither id counts.
    let single = !after.contains(", qid: <");
    let (verdict, score) = after
        .split_once(", (")
        .and_then(|(_, rest)| rest.split_once(" ("))
        .and_then(|(_, rest)| rest.split_once("): ["))
        .unwrap_or_default();
    // Whom it was for, as the client named them; a second label is a forgery again.
    let mut lists = after.split(", rcpts: ").skip(1);
    let recipients = lists.next().filter(|_| lists.next().is_none() && single);
    Some(Neighbour {
        daemon: "rspamd",
        queue_id: Some(queue_id).filter(|id| single && is_queue_id(id)),
        message_id: Some(message_id).filter(|id| single && *id != "<undef>"),
        verdict,
        detail: score.split_once(']').map(|(score, _)| score),
        recipients: recipients.map(|list| list.split(", ").next().unwrap_or(list)),
        ..Neighbour::default()
    })
}

/// `{queue_id}: {verdict}`, and opendmarc's `{queue_id} ignoring ...`.
fn milter<'a>(daemon: &'static str, text: &'a str) -> Option<Neighbour<'a>> {
    let (id, verdict) = text.split_once(' ')?;
    let id = id.strip_suffix(':').unwrap_or(id);
    is_queue_id(id).then_some(Neighbour {
        daemon,
        queue_id: Some(id),
        verdict,
        ..Neighbour::default()
    })
}

/// `action=greylist, reason=new, client_name=..., client_address=..., sender=..., recipient=...`.
fn postgrey(text: &str) -> Option<Neighbour<'_>> {
    let (verdict, rest) = attrs::until(text.strip_prefix("action=")?, |byte| byte == b',');
    Some(Neighbour {
        daemon: "postgrey",
        verdict,
        user: rest
            .rsplit_once(", recipient=")
            .map(|(_, recipient)| recipient),
        ..Neighbour::default()
    })
}

/// `prepend Received-SPF: Pass (mailfrom) identity=...`, `Pass; identity=...`, `550 5.7.23 Message rejected ...`.
fn spf(text: &str) -> Option<Neighbour<'_>> {
    let verdict = if let Some(rest) = text.strip_prefix("prepend Received-SPF: ") {
        attrs::until(rest, |byte| byte == b' ').0
    } else if attrs::reply_code(text).is_some() {
        text
    } else {
        text.split_once("; identity=")?.0
    };
    Some(Neighbour {
        daemon: "policyd-spf",
        verdict,
        ..Neighbour::default()
    })
}

/// `spamd: result: Y 8 - TESTS scantime=...,user=...,mid=<...>,...` and `spamd: clean message (1.2/5.0) for ...`.
fn spamd(text: &str) -> Option<Neighbour<'_>> {
    let text = text.strip_prefix("spamd: ").unwrap_or(text);
    if let Some(rest) = text.strip_prefix("result: ") {
        let message_id = text.split_once(",mid=<").and_then(|(left, id)| {
            text.get(left.len() + ",mid=".len()..left.len() + ",mid=<".len() + id.find('>')? + 1)
        });
        let user = text
            .split_once(",user=")
            .map(|(_, user)| attrs::until(user, |byte| byte == b',').0);
        return Some(Neighbour {
            daemon: "spamd",
            message_id,
            verdict: attrs::until(rest, |byte| byte == b' ').0,
            user,
            ..Neighbour::default()
        });
    }
    let verdict = ["identified spam", "clean message"]
        .into_iter()
        .find(|verdict| text.starts_with(verdict))?;
    let (_, user) = text.split_once(" for ")?;
    Some(Neighbour {
        daemon: "spamd",
        verdict: text.get(..verdict.len())?,
        user: Some(attrs::until(user, |byte| byte == b':').0),
        ..Neighbour::default()
    })
}

/// `Message {queue_id} from <s> to <r> infected by {name}`, `Clean message from <s> to <r>`.
fn clamav(text: &str) -> Option<Neighbour<'_>> {
    if text.starts_with("Clean message from <") {
        return Some(Neighbour {
            daemon: "clamav-milter",
            verdict: text.get(.."Clean message".len())?,
            ..Neighbour::default()
        });
    }
    let rest = text.strip_prefix("Message ")?;
    let (first, _) = attrs::until(rest, |byte| byte == b' ');
    let (left, name) = rest.rsplit_once(" infected by ")?;
    Some(Neighbour {
        daemon: "clamav-milter",
        queue_id: Some(first).filter(|id| is_queue_id(id)),
        verdict: rest.get(rest.len() - name.len() - "infected by ".len()..)?,
        user: left
            .strip_suffix('>')
            .and_then(|left| left.rsplit_once(" to <"))
            .map(|(_, recipient)| recipient),
        ..Neighbour::default()
    })
}
