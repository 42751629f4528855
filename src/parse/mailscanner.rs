//! `MailScanner`: takes messages out of the hold queue and writes new ones for the queue manager, or none.
//!
//! Its own number of a message is the queue id, a dot and a random number.

use super::queue_id::is_queue_id;
use crate::model::event::Neighbour;

/// `Requeue: {number} to {queue_id}`, `Spam Actions: message {number} actions are {list}`.
#[must_use]
pub(super) fn parse(text: &str) -> Option<Neighbour<'_>> {
    let text = text.trim_end();
    if let Some(rest) = text.strip_prefix("Requeue: ") {
        let (number, new) = rest.split_once(" to ")?;
        return Some(Neighbour {
            daemon: "MailScanner",
            queue_id: Some(queue_id(number)?),
            queued_as: Some(queue_id(new)?),
            verdict: text.get(.."Requeue".len())?,
            ..Neighbour::default()
        });
    }
    let (what, rest) = text.split_once(" Actions: message ")?;
    let (number, actions) = rest.split_once(" actions are ")?;
    matches!(what, "Spam" | "High Scoring Spam" | "Non-spam" | "MCP").then_some(())?;
    Some(Neighbour {
        daemon: "MailScanner",
        queue_id: Some(queue_id(number)?),
        verdict: actions,
        ..Neighbour::default()
    })
}

fn queue_id(number: &str) -> Option<&str> {
    let id = number.split_once('.').map_or(number, |(id, _)| id);
    is_queue_id(id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_to_queue_ids() {
        let new = |text| parse(text).and_then(|n| Some((n.queue_id?, n.queued_as)));
        assert_eq!(
            new("Requeue: AB3116645BB.AE4DF to 9E02D664D3C"),
            Some(("AB3116645BB", Some("9E02D664D3C")))
        );
        assert_eq!(
            new("Requeue: 4fQnFR2wTjz8tX9.A1B2C to 4fQnFS3wTjz8tXB"),
            Some(("4fQnFR2wTjz8tX9", Some("4fQnFS3wTjz8tXB")))
        );
        assert_eq!(
            new("Spam Actions: message AB3116645BB.AE4DF actions are delete"),
            Some(("AB3116645BB", None))
        );
        for other in [
            "Requeue: x to y",
            "Requeue: AB3116645BB",
            "New Batch: Scanning 1 messages, 3606 bytes",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
