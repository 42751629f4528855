//! pickup: mail submitted on this host by a command, or queued again by postsuper (grammar 5.3).
//!
//! Postfix: `pickup/pickup.c`. The sender is what the user gave.

use super::attrs;
use super::queue_id::is_queue_id;
use crate::model::event::Event;

/// Reads what follows the queue id: `uid=n from=<sender>⟦ orig_id=id⟧`.
#[must_use]
pub(super) fn of_message<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    let (uid, rest) = attrs::number(text.strip_prefix("uid=")?)?;
    let rest = rest.strip_prefix(" from=<")?;
    let (rest, orig_id) = match rest.rsplit_once(" orig_id=") {
        Some((left, id)) if is_queue_id(id) && left.ends_with('>') => (left, Some(id)),
        _ => (rest, None),
    };
    Some(Event::Pickup {
        queue_id,
        uid,
        sender: rest.strip_suffix('>')?,
        orig_id,
    })
}
