//! Logs rebuilt from public reports, where they are at hand: one mail, whatever it goes through.

use super::stories::tables_of;
use super::tables::Tables;

/// The recipients whose row is not only a step: queue id, recipient, status.
fn ends(t: &Tables) -> Vec<(&str, &str, &str)> {
    let steps = ["filtered", "relayed", "forwarded", "requeued"];
    t.to.values()
        .filter(|r| !steps.contains(&r.state.status.as_str()))
        .map(|r| {
            (
                r.queue_id.as_str(),
                r.recipient.as_str(),
                r.state.status.as_str(),
            )
        })
        .collect()
}

fn case(name: &str) -> Option<Tables> {
    let path = format!("../shared/cases/turn02/{name}.log");
    let Ok(log) = std::fs::read_to_string(&path) else {
        crate::skip::skip(&format!("no {path}"));
        return None;
    };
    Some(tables_of(&log, 2026))
}

#[test]
fn mail_requeued_by_mailscanner_is_sent() {
    let Some(t) = case("04-mailscanner-requeue") else {
        return;
    };
    assert_eq!(ends(&t), [("9E02D664D3C", "jan@example.org", "sent")]);
    assert!(
        t.from
            .values()
            .all(|m| m.status != "held" && m.root_id == 1)
    );
    let ids = t.from.values().map(|m| m.message_id.as_deref());
    assert!(
        ids.into_iter()
            .all(|id| id == Some("<CAHN1@mail.example.net>"))
    );
}

#[test]
fn mail_in_the_queue_of_a_renamed_pod_is_one() {
    let Some(t) = case("13-pod-renamed") else {
        return;
    };
    assert_eq!(ends(&t), [("E19A3660089", "alice@example.org", "sent")]);
    assert_eq!((t.from.len(), t.to[&1].attempts), (1, 2));
    assert_eq!(t.from[&1].host, "mail-6c5b4d7f9-fghij");
}

#[test]
fn mail_through_a_pipe_has_the_fate_of_the_second_message() {
    let Some(t) = case("19-pipe-filter") else {
        return;
    };
    assert_eq!(
        ends(&t),
        [
            ("3F0E2C14C4", "bob@example.org", "bounced"),
            ("5B2D2C14C5", "ann@example.net", "sent")
        ]
    );
    assert!(t.from[&2].parent_inferred);
}
