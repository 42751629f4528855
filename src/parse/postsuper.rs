//! postsuper: what an administrator did to queued mail (grammar 5.13).
//!
//! Postfix: `postsuper/postsuper.c`. `postsuper -d ALL` logs the summary only.

use super::attrs;
use crate::model::event::{Event, Removal, SuperAction};

/// Reads what follows the queue id.
#[must_use]
pub(super) fn of_message<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    let action = match text {
        "removed" => {
            return Some(Event::Removed {
                queue_id,
                removal: Removal::Deleted,
            });
        }
        "requeued" => SuperAction::Requeued,
        "placed on hold" => SuperAction::Held,
        "released from hold" => SuperAction::Released,
        "expired" => SuperAction::Expired,
        _ => return None,
    };
    Some(Event::Super { queue_id, action })
}

/// Reads `Deleted: 3 messages` and its kin.
#[must_use]
pub(super) fn summary(text: &str) -> Option<Event<'_>> {
    let (action, rest) = text.split_once(": ")?;
    let known = matches!(
        action,
        "Deleted"
            | "Requeued"
            | "Placed on hold"
            | "Released from hold"
            | "Force-expired"
            | "Renamed to match inode number"
    );
    let (count, rest) = attrs::number(rest)?;
    (known && matches!(rest, " message" | " messages"))
        .then_some(Event::SuperSummary { action, count })
}
