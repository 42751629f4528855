//! dovecot and Cyrus: what the mail store did with a message that Postfix handed to it (grammar section 11).
//!
//! Written by dovecot's lmtp and lda with their Sieve plugin (Pigeonhole `lib-sieve/sieve-result.c` and its actions,
//! `lib-lda/mail-deliver.c`, the `mail_log` plugin) and by Cyrus' lmtpd. User, session and Message-ID stand left of the text; the
//! text may quote mailbox names and addresses that strangers choose.
//!
//! Limits: `deliver_log_format` may be changed; without `msgid=` a line says nothing here.

use super::attrs;
use crate::model::event::{Neighbour, StoreAction as Action};

/// Reads `lmtp({user})<{pid}><{session}>: ⟦Error: ⟧⟦sieve: ⟧msgid=<{mid}>: {text}` and its older forms `lmtp({pid}, {user}): {session}: …`,
/// `lda({user}): …`, `deliver({user}): …`.
pub(super) fn dovecot(text: &str) -> Option<Neighbour<'_>> {
    let (user, rest) = delivery(text)?;
    let (session, rest) = session(rest)?;
    told(user, session, rest)
}

/// Reads a line of dovecot's own log file (`log_path`), where the whole beginning stands as the tag: `lmtp({user})<{pid}><{session}>`.
pub(super) fn of_file<'a>(tag: &'a str, text: &'a str) -> Option<Neighbour<'a>> {
    let (user, rest) = delivery(tag)?;
    let session = rest.rsplit_once('<').and_then(|(left, session)| {
        session
            .strip_suffix('>')
            .filter(|session| left.ends_with('>') && !session.is_empty())
    });
    told(user, session, text)
}

/// Tells whether a tag is the beginning of such a line.
pub(super) fn is_tag(tag: &str) -> bool {
    tag.ends_with(['>', ')']) && delivery(tag).is_some()
}

/// Takes `lmtp({user})` off.
fn delivery(text: &str) -> Option<(&str, &str)> {
    let (service, rest) = text.split_once('(')?;
    if !matches!(service, "lmtp" | "lda" | "deliver") {
        return None;
    }
    let (user, rest) = rest.split_once(')')?;
    Some((user.rsplit_once(", ").map_or(user, |(_, user)| user), rest))
}

fn told<'a>(user: &'a str, session: Option<&'a str>, rest: &'a str) -> Option<Neighbour<'a>> {
    let rest = ["Info: ", "Warning: ", "Error: "]
        .iter()
        .find_map(|word| rest.strip_prefix(word))
        .unwrap_or(rest);
    let known = Neighbour {
        daemon: "dovecot",
        session,
        user: Some(user),
        ..Neighbour::default()
    };
    if let Some(rest) = rest.strip_prefix("save: box=") {
        return saved(known, rest);
    }
    let (_, rest) = rest.split_once("msgid=")?;
    let end = match rest.strip_prefix('<') {
        Some(inside) => inside.find('>')? + 2,
        None => rest.find(':')?,
    };
    let (message_id, verdict) = rest.split_at_checked(end)?;
    let verdict = verdict.strip_prefix(": ")?;
    let (action, detail) = action(verdict);
    Some(Neighbour {
        message_id: Some(message_id).filter(|id| id.starts_with('<')),
        verdict,
        action: Some(action),
        detail,
        ..known
    })
}

/// Splits `<{pid}><{session}>: ` or `: {session}: ` off.
fn session(text: &str) -> Option<(Option<&str>, &str)> {
    if let Some(rest) = text.strip_prefix('<') {
        let (_, rest) = rest.split_once('>')?;
        let Some(inside) = rest.strip_prefix('<') else {
            return Some((None, rest.strip_prefix(": ")?));
        };
        let (session, rest) = inside.split_once('>')?;
        return Some((
            Some(session).filter(|s| !s.is_empty()),
            rest.strip_prefix(": ")?,
        ));
    }
    let text = text.strip_prefix(": ")?;
    let session = text.split_once(": ").filter(|(first, _)| {
        !matches!(*first, "sieve" | "Info" | "Warning" | "Error" | "save")
            && !first.contains(['=', ' ', '<'])
    });
    Some(match session {
        Some((session, rest)) => (Some(session), rest),
        None => (None, text),
    })
}

/// Reads the rest of `save: box={box}, uid={n}, msgid=<{mid}>, size={n}` of the plugin `mail_log`.
fn saved<'a>(known: Neighbour<'a>, text: &'a str) -> Option<Neighbour<'a>> {
    let (mailbox, rest) = text.split_once(", ")?;
    let message_id = rest.split_once("msgid=<").and_then(|(left, id)| {
        let start = left.len() + "msgid=".len();
        rest.get(start..start + id.find('>')? + 2)
    });
    Some(Neighbour {
        message_id,
        verdict: "save",
        action: Some(Action::Stored),
        detail: Some(mailbox),
        ..known
    })
}

/// What a text begins with, and what it means; what follows is the detail.
const BEGINNINGS: [(&str, Action); 20] = [
    ("stored mail into mailbox ", Action::Stored),
    ("saved mail to ", Action::Stored),
    ("left message in mailbox ", Action::Stored),
    ("marked message to be discarded", Action::Discarded),
    ("discarded duplicate forward to ", Action::Duplicate),
    ("discarded duplicate vacation response to ", Action::NoReply),
    ("discarded vacation response to ", Action::NoReply),
    ("discarded vacation reply to ", Action::NoReply),
    ("discarding vacation response to ", Action::NoReply),
    ("discarded duplicate", Action::Duplicate),
    ("discarded", Action::Discarded),
    ("forwarded to ", Action::Redirected),
    ("sent vacation response to ", Action::Replied),
    ("rejected", Action::Rejected),
    ("refused", Action::Rejected),
    ("sent mail notification to ", Action::Notified),
    ("sent notification to ", Action::Notified),
    ("piped message to program ", Action::Piped),
    ("failed to ", Action::Failed),
    ("save failed to ", Action::Failed),
];

/// Returns what was done, and to where or why.
fn action(text: &str) -> (Action, Option<&str>) {
    // Pigeonhole since 0.5.18: `fileinto action: stored mail into mailbox 'X'`.
    let text = match text.split_once(" action: ") {
        Some((name, rest)) if !name.contains(' ') => rest,
        _ => text,
    };
    if text.contains("Quota exceeded") || text.contains("over quota") {
        return (Action::Failed, Some(text));
    }
    let found = BEGINNINGS.iter().find_map(|(words, action)| {
        let head = text.get(..words.len())?;
        head.eq_ignore_ascii_case(words)
            .then(|| (*action, text.get(words.len()..).unwrap_or_default()))
    });
    match found {
        Some((Action::Discarded, _)) => (Action::Discarded, None),
        Some((Action::Failed, _)) => (Action::Failed, Some(text)),
        Some((Action::Rejected, rest)) => (
            Action::Rejected,
            Some(
                rest.trim_start_matches(": ")
                    .trim_start_matches(" message "),
            ),
        ),
        Some((action, rest)) => (action, Some(bare(rest)).filter(|rest| !rest.is_empty())),
        None => (Action::Other, Some(text)),
    }
}

/// Takes the quotes or brackets off.
fn bare(text: &str) -> &str {
    let text = text.trim_end();
    [("'", "'"), ("`", "'"), ("<", ">")]
        .iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
        .unwrap_or(text)
}

/// Reads Cyrus' `Delivered: <{mid}> to mailbox: {mailbox}`, `sieve redirected: <{mid}> to: {address}`, `sieve discarded: <{mid}>`,
/// `sieve rejected: <{mid}> to: {address}`, `dupelim: eliminated duplicate message to {mailbox} id <{mid}> (…)`.
pub(super) fn cyrus(text: &str) -> Option<Neighbour<'_>> {
    let known = |verdict, message_id, action| Neighbour {
        daemon: "cyrus",
        message_id: Some(message_id),
        verdict,
        action: Some(action),
        ..Neighbour::default()
    };
    if let Some(rest) = strip(text, "delivered: ") {
        let (message_id, rest) = message_id(rest)?;
        let mailbox = rest.strip_prefix(" to mailbox: ")?;
        let (user, folder) = mailbox_of(attrs::until(mailbox, |byte| byte == b' ').0);
        return Some(Neighbour {
            user: Some(user),
            detail: Some(folder),
            ..known("Delivered", message_id, Action::Stored)
        });
    }
    if let Some(rest) = text.strip_prefix("dupelim: eliminated duplicate message to ") {
        let (mailbox, rest) = rest.split_once(" id ")?;
        let (user, folder) = mailbox_of(mailbox);
        let (message_id, _) = message_id(rest)?;
        return Some(Neighbour {
            user: Some(user),
            detail: Some(folder),
            ..known("eliminated duplicate", message_id, Action::Duplicate)
        });
    }
    let (verb, rest) = text.strip_prefix("sieve ")?.split_once(": ")?;
    let action = match verb {
        "redirected" => Action::Redirected,
        "discarded" => Action::Discarded,
        "rejected" => Action::Rejected,
        _ => return None,
    };
    let rest = rest.strip_prefix("id ").unwrap_or(rest);
    let (message_id, rest) = message_id(rest)?;
    Some(Neighbour {
        detail: rest.strip_prefix(" to: ").map(bare),
        ..known(verb, message_id, action)
    })
}

fn strip<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let head = text.get(..words.len())?;
    head.eq_ignore_ascii_case(words)
        .then(|| text.get(words.len()..))?
}

fn message_id(text: &str) -> Option<(&str, &str)> {
    let end = text.strip_prefix('<')?.find('>')? + 2;
    text.split_at_checked(end)
}

/// Splits `example.org!user.bob.Junk` or `user/bob/Junk@example.org` into user and folder.
fn mailbox_of(name: &str) -> (&str, &str) {
    let name = name.rsplit_once('!').map_or(name, |(_, name)| name);
    let Some(rest) = name
        .strip_prefix("user.")
        .or_else(|| name.strip_prefix("user/"))
    else {
        return (name, name);
    };
    match rest.split_once(['.', '/']) {
        Some((user, folder)) if !user.contains('@') => (user, folder),
        _ => (rest, "INBOX"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let n = dovecot(text).or_else(|| cyrus(text)).unwrap();
        format!(
            "{:?} {} session {} user {} of {}",
            n.action.unwrap(),
            n.detail.unwrap_or("-"),
            n.session.unwrap_or("-"),
            n.user.unwrap_or("-"),
            n.message_id.unwrap_or("-"),
        )
    }

    #[test]
    fn every_form_of_a_line_is_read() {
        let lines = [
            "lmtp(bob@example.org)<55><NvGi:2>: sieve: msgid=<1@x.test>: fileinto action: stored mail into mailbox 'Junk'",
            "lmtp(bob@example.org)<55><NvGi>: sieve: msgid=<1@x.test>: discard action: Marked message to be discarded if not explicitly delivered (discard action)",
            "lmtp(bob@example.org)<55><NvGi>: sieve: msgid=<1@x.test>: marked message to be discarded if not explicitly delivered (discard action)",
            "lmtp(bob@example.org)<55><NvGi>: Error: sieve: msgid=<1@x.test>: failed to store into mailbox 'INBOX': Quota exceeded (mailbox for user is full)",
            "lmtp(bob@example.org)<55><NvGi>: save: box=Junk, uid=7, msgid=<1@x.test>, size=4100",
            "lmtp(640, bob@example.org): nV9iJ9mi3l0: msgid=<1@x.test>: saved mail to INBOX",
            "lmtp(bob): nV9iJ9mi3l0: sieve: msgid=<1@x.test>: redirect action: forwarded to <eve@example.net>",
            "lda(bob): sieve: msgid=<1@x.test>: rejected message from <ann@example.net> (reject)",
            "lda(bob)<7><x>: sieve: msgid=<1@x.test>: sent vacation response to <ann@example.net>",
            "deliver(bob): msgid=<1@x.test>: saved mail to Lists.a: b",
            "deliver(bob): msgid=unspecified: save failed to INBOX: disk: full",
            "lda(bob): sieve: msgid=<1@x.test>: discarded duplicate forward to <eve@example.net>",
            "lda(bob): sieve: msgid=<1@x.test>: something new",
            "Delivered: <1@x.test> to mailbox: user.bob",
            "Delivered: <1@x.test> to mailbox: example.org!user.bob.Junk",
            "sieve redirected: <1@x.test> to: eve@example.net",
            "sieve discarded: <1@x.test>",
            "dupelim: eliminated duplicate message to user.bob id <1@x.test> (delivery)",
        ];
        let told: Vec<String> = lines.into_iter().map(told).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn lines_of_its_own_file_are_read() {
        let tag = "lmtp(bob@example.org)<55><NvGi/x>";
        assert!(is_tag(tag) && is_tag("lda(bob)<7>") && is_tag("deliver(bob)"));
        assert!(!is_tag("imap(bob)<7><x>") && !is_tag("lmtp(7") && !is_tag("sshd"));
        let text = "Info: sieve: msgid=<1@x.test>: stored mail into mailbox 'Junk'";
        let n = of_file(tag, text).unwrap();
        assert_eq!(
            (n.user, n.session, n.message_id, n.detail),
            (
                Some("bob@example.org"),
                Some("NvGi/x"),
                Some("<1@x.test>"),
                Some("Junk")
            )
        );
        assert_eq!(of_file("lda(bob)<7>", text).unwrap().session, None);
        assert_eq!(of_file(tag, "Disconnect from local: Logged out"), None);
    }

    #[test]
    fn other_lines_say_nothing() {
        for text in [
            "imap(bob)<1><x>: msgid=<1@x.test>: saved mail to INBOX",
            "lmtp(640): Connect from local",
            "lmtp(bob)<1><x>: Disconnect from local: Logged out",
            "lmtp(bob)<1><x>: msgid=<1@x.test",
            "lmtp(bob",
            "",
        ] {
            assert_eq!(dovecot(text), None, "{text}");
        }
    }
}
