//! Proxmox Mail Gateway: what its filter did with a message for each recipient.
//!
//! Written by pmg-smtp-filter under an id of its own, which also stands in its reply to Postfix: `250 2.5.0 OK ({id})`, `250 2.7.0 BLOCKED
//! ({id})`. Known from published samples.

use super::{address, queue_id::is_queue_id};
use crate::model::event::{Neighbour, StoreAction as Action};

/// Reads `{id}: accept mail to <{r}> ({queue id}) (rule: {rule})`, `{id}: moved mail for <{r}> to spam quarantine - {id} (rule: {rule})`,
/// `{id}: block mail to <{r}> (rule: {rule})`.
pub(super) fn parse(text: &str) -> Option<Neighbour<'_>> {
    let (id, rest) = text.split_once(": ")?;
    let is_id = (8..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let known = Neighbour {
        daemon: "pmg-smtp-filter",
        session: Some(id).filter(|_| is_id),
        ..Neighbour::default()
    };
    known.session?;
    if let Some((user, rest)) = recipient(rest, "accept mail to <") {
        let queue_id = rest
            .strip_prefix(" (")
            .and_then(|rest| rest.split_once(')'));
        return Some(Neighbour {
            user: Some(user),
            queue_id: queue_id.map(|(id, _)| id).filter(|id| is_queue_id(id)),
            verdict: "accept",
            ..known
        });
    }
    if let Some((user, rest)) = recipient(rest, "moved mail for <") {
        let place = rest.strip_prefix(" to ")?;
        let place = place.split_once(" - ").map_or(place, |(place, _)| place);
        return Some(Neighbour {
            user: Some(user),
            verdict: "moved",
            action: Some(Action::Stored),
            detail: Some(place),
            ..known
        });
    }
    let (user, _) = recipient(rest, "block mail to <")?;
    Some(Neighbour {
        user: Some(user),
        verdict: "block",
        action: Some(Action::Discarded),
        ..known
    })
}

/// Splits the address behind the words off.
fn recipient<'a>(text: &'a str, words: &str) -> Option<(&'a str, &'a str)> {
    address::ends(text.strip_prefix(words)?).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_filter_did_is_read() {
        let lines = [
            "2A0DF656A1B2C3D4E5F: accept mail to <bob@example.org> (64AB9120A53) (rule: default-accept)",
            "2A0DF656A1B2C3D4E5F: moved mail for <bob@example.org> to spam quarantine - 1B2C (rule: Quarantine/Mark Spam (Level 3))",
            "2A0DF656A1B2C3D4E5F: moved mail for <bob@example.org> to attachment quarantine - 1B2C (rule: x)",
            "2A0DF656A1B2C3D4E5F: block mail to <bob@example.org> (rule: Block Viruses)",
        ];
        let told = lines.map(|line| {
            let n = parse(line).unwrap();
            format!(
                "{} {:?} {} {} {}",
                n.user.unwrap(),
                n.action,
                n.detail.unwrap_or("-"),
                n.session.unwrap(),
                n.queue_id.unwrap_or("-")
            )
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn its_other_lines_say_nothing() {
        for text in [
            "2A0DF656A1B2C3D4E5F: new mail message-id=<a@example.net>#012",
            "2A0DF656A1B2C3D4E5F: processing time: 0.8 seconds (0.5, 0.1, 0)",
            "starting database maintenance",
            "WARNING: block mail to <bob@example.org>",
            "2A0DF656A1B2C3D4E5F: block mail to <bob",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
