//! The text in parentheses of a delivery record: reply code, ids that the other side names, mail dropped.
//!
//! Postfix: `smtp/smtp_trouble.c`, `local/forward.c`, `discard/discard.c`. All of it may be chosen by the remote
//! server: codes are facts about its reply, ids are claims (grammar 6.2).

use super::attrs;
use super::queue_id::is_queue_id;

/// Returns the reply code of the remote server when the text holds a reply.
#[must_use]
pub(super) fn code(reason: &str) -> Option<u16> {
    if let Some((code, _)) = attrs::reply_code(reason) {
        return Some(code);
    }
    let reason = reason
        .strip_prefix("delivery temporarily suspended: ")
        .unwrap_or(reason);
    let reason = reason.strip_prefix("Protocol error: ").unwrap_or(reason);
    let server = reason
        .strip_prefix("host ")
        .or_else(|| reason.strip_prefix("SASL authentication failed; server "))?;
    let (_, reply) = server.split_once(' ')?;
    let reply = reply
        .strip_prefix("said: ")
        .or_else(|| reply.strip_prefix("refused to talk to me: "))?;
    attrs::reply_code(reply).map(|(code, _)| code)
}

/// Returns the id at the end of `... queued as {queue_id}`.
#[must_use]
pub(super) fn queued_as(reason: &str) -> Option<&str> {
    let (rest, id) = reason.rsplit_once(' ')?;
    if !rest.ends_with("queued as") {
        return None;
    }
    let id = id.strip_suffix(')').unwrap_or(id);
    is_queue_id(id).then_some(id)
}

/// Returns the id of `forwarded as {queue_id}`, which is the whole text.
#[must_use]
pub(super) fn forwarded_as(reason: &str) -> Option<&str> {
    reason
        .strip_prefix("forwarded as ")
        .filter(|id| is_queue_id(id))
}

/// Returns whether a record with status sent says that the mail was dropped.
///
/// `none` as relay of sent mail is only logged by the discard service and, for double bounces, by qmgr.
#[must_use]
pub(super) fn is_discard(relay: &str, reason: &str) -> bool {
    relay == "none"
        || reason == "discarded"
        || attrs::reply_code(reason).is_some_and(|(code, text)| code == 250 && is_dropped(text))
}

/// amavis: `2.7.0 Ok, discarded, id=...`; Proxmox Mail Gateway: `2.7.0 BLOCKED (...)`.
fn is_dropped(text: &str) -> bool {
    has_word(text, "discarded") || text.starts_with("2.7.0 BLOCKED (")
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + word.len()..).unwrap_or_default();
        before.ends_with([' ', ',']) && !after.starts_with(|next: char| next.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_from_replies_only() {
        let cases = [
            ("250 2.0.0 Ok", Some(250)),
            ("250", Some(250)),
            (
                "host mx.example.net[192.0.2.25] said: 550-5.7.1 a 550 5.7.1 b (in reply to end of DATA command)",
                Some(550),
            ),
            (
                "host mx.example.net[192.0.2.25] refused to talk to me: 421 4.7.0 try later",
                Some(421),
            ),
            (
                "delivery temporarily suspended: host mx.example.net[192.0.2.25] said: 450 x (in reply to RCPT TO command)",
                Some(450),
            ),
            (
                "Protocol error: host mx.example.net[192.0.2.25] said: 250 x",
                Some(250),
            ),
            (
                "SASL authentication failed; server mx.example.net[192.0.2.25] said: 535 5.7.8 no",
                Some(535),
            ),
            (
                "connect to mx.example.com[198.51.100.7]:25: Connection timed out",
                None,
            ),
            ("user unknown. Command output: host x said: 550 no", None),
            ("unknown user: \"550 x\"", None),
        ];
        for (reason, code_of_reply) in cases {
            assert_eq!(code(reason), code_of_reply, "{reason}");
        }
    }

    #[test]
    fn a_queue_id_is_claimed_only_at_the_end() {
        assert_eq!(
            queued_as("250 2.0.0 Ok: queued as 0CC56120A61"),
            Some("0CC56120A61")
        );
        assert_eq!(
            queued_as("250 2.0.0 Ok (queued as 0CC56120A61)"),
            Some("0CC56120A61")
        );
        assert_eq!(queued_as("250 queued as 0CC56120A61 thanks"), None);
        assert_eq!(queued_as("250 queued as mail"), None);
        assert_eq!(
            forwarded_as("forwarded as 0CC56120A61"),
            Some("0CC56120A61")
        );
        assert_eq!(forwarded_as("forwarded as x"), None);
    }

    #[test]
    fn dropped_mail_is_told_by_filter_or_service() {
        assert!(is_discard(
            "127.0.0.1[127.0.0.1]:10024",
            "250 2.7.0 Ok, discarded, id=12345-01 - spam"
        ));
        assert!(is_discard("none", "silently discarded"));
        assert!(is_discard("local", "discarded"));
        assert!(!is_discard("x[192.0.2.1]:25", "250 2.0.0 undiscarded"));
        assert!(!is_discard("x[192.0.2.1]:25", "250 2.0.0 Ok"));
    }
}
