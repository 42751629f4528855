//! bounce, and the defer and trace services that run the same program: notices about mail (grammar 5.12).
//!
//! Postfix: `bounce/bounce_notify_service.c`, `bounce_warn_service.c`, `bounce_trace_service.c`,
//! `bounce_one_service.c`. Failures carry a severity word and are notes.

use super::queue_id::is_queue_id;
use crate::model::event::{Event, Notice};

/// Reads what follows the queue id: `sender non-delivery notification: {queue_id}` and its kin.
#[must_use]
pub(super) fn of_message<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    if text.starts_with("not sending trace/success notification for ") {
        return Some(super::note(Some(queue_id), text));
    }
    let (to_postmaster, rest) = match text.strip_prefix("sender ") {
        Some(rest) => (false, rest),
        None => (true, text.strip_prefix("postmaster ")?),
    };
    let (kind, notice_queue_id) = rest.split_once(" notification: ")?;
    let notice = match kind {
        "non-delivery" => Notice::NonDelivery,
        "delay" => Notice::Delay,
        "delivery status" => Notice::DeliveryStatus,
        _ => return None,
    };
    is_queue_id(notice_queue_id).then_some(Event::Notification {
        queue_id,
        notice,
        to_postmaster,
        notice_queue_id,
    })
}
