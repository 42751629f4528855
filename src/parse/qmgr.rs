//! qmgr (also nqmgr, oqmgr): messages enter the active queue and leave the queue (grammar 5.6).
//!
//! Postfix: `qmgr/qmgr_message.c`, `qmgr/qmgr_active.c`. The sender may hold anything, so the numbers are read from
//! the right end.

use super::attrs;
use super::queue_id::is_queue_id;
use crate::model::event::{Event, Removal};

/// Above this a size is no size: JSON readers lose whole numbers beyond 2^53.
const SIZE_MAX: u64 = 1 << 53;
/// Above this the line is damaged or forged.
const NRCPT_MAX: u32 = 1_000_000;

/// Reads what follows the queue id.
#[must_use]
pub(super) fn of_message<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    if text == "removed" {
        return Some(Event::Removed {
            queue_id,
            removal: Removal::Done,
        });
    }
    if let Some(rest) = text.strip_prefix("from=<") {
        return active(queue_id, rest).or_else(|| expired(queue_id, rest));
    }
    if text == "skipped, still being delivered" || text.starts_with("recipient limit ") {
        return Some(Event::Ignored);
    }
    text.starts_with("status=deferred (")
        .then(|| super::note(Some(queue_id), text))
}

/// Reads `{sender}>, size=n, nrcpt=n⟦ (queue active)⟧`.
fn active<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    let numbers = match text.strip_suffix(')') {
        Some(text) => text.rsplit_once(" (queue ")?.0,
        None => text,
    };
    let (rest, nrcpt) = attrs::number_at_end::<u32>(numbers)?;
    let (rest, size) = attrs::number_at_end::<u64>(rest.strip_suffix(", nrcpt=")?)?;
    let sender = rest.strip_suffix(">, size=")?;
    (size <= SIZE_MAX && nrcpt <= NRCPT_MAX).then_some(Event::Active {
        queue_id,
        sender,
        size,
        nrcpt,
    })
}

/// Reads `{sender}>, status=expired, returned to sender`.
fn expired<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    let (sender, status) = text
        .strip_suffix(", returned to sender")?
        .rsplit_once(">, status=")?;
    matches!(status, "expired" | "force-expired").then_some(Event::Expired {
        queue_id,
        sender,
        status,
    })
}

/// Reads `qmgr_active_done_3_generic: remove {queue_id} from active: No such file or directory`: all recipients are done,
/// and somebody else removed the file.
fn gone(text: &str) -> Option<Event<'_>> {
    let (_, rest) = text.split_once(": remove ")?;
    let (queue_id, rest) = rest.split_once(" from ")?;
    let is_gone = rest.ends_with(": No such file or directory");
    (is_gone && is_queue_id(queue_id)).then_some(Event::Removed {
        queue_id,
        removal: Removal::Missing,
    })
}

/// Reads the warning that a queue file was taken out as corrupt, or was gone.
#[must_use]
pub(super) fn warning(text: &str) -> Option<Event<'_>> {
    if text.starts_with("qmgr_active_done") {
        return gone(text);
    }
    let rest = text.strip_prefix("saving corrupt file \"")?;
    let (queue_id, rest) = rest.split_once('"')?;
    (is_queue_id(queue_id) && rest.starts_with(" from queue "))
        .then_some(Event::Corrupt { queue_id })
}
