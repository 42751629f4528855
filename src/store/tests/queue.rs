//! The queue as it was listed: what changed is written, the log is joined, disagreement is found, rows go.

use super::*;
use crate::model::queue::{QueueCount, QueueListing, QueuedMail, QueuedRecipient, Snapshot};
use crate::model::retain::{Cutoffs, Group};
use crate::store::erase::Address;

/// A listing so many minutes after the beginning, of the mails with these numbers.
fn listing(minutes: i64, numbers: &[i64]) -> Snapshot {
    let time = T0.plus(minutes * MINUTE);
    let count = i64::try_from(numbers.len()).unwrap();
    let mail = |number: &i64| QueuedMail {
        time,
        queue_id: format!("4Zq{number}").into(),
        digest: *number,
        status: "deferred".into(),
        arrival_time: Some(T0.plus(number * SECOND)),
        size: Some(2048),
        sender: Some("alice@example.org".into()),
        nrcpt: 1,
        reason: Some("connection refused".into()),
        cause: Some("connection".into()),
        ..QueuedMail::default()
    };
    let recipient = |number: &i64| QueuedRecipient {
        time,
        queue_id: format!("4Zq{number}").into(),
        recipient: format!("bob{number}@example.com").into(),
        reason: Some("connection refused".into()),
        cause: Some("connection".into()),
    };
    Snapshot {
        listing: QueueListing {
            time,
            host: "mx1.example.org".to_owned(),
            instance: "postfix".to_owned(),
            mails: count,
            stored: count,
            recipients: count,
            oldest: Some(T0),
            minimal_backoff: 300,
            maximal_backoff: 4000,
            ..QueueListing::default()
        },
        mails: numbers.iter().map(mail).collect(),
        recipients: numbers.iter().map(recipient).collect(),
        counts: vec![QueueCount {
            time,
            host: "mx1.example.org".to_owned(),
            status: "deferred".into(),
            mails: count,
            ..QueueCount::default()
        }],
    }
}

/// When each mail was written, in minutes after the beginning.
fn written(store: &Store) -> String {
    let of = |table: &str| {
        text(
            store,
            &format!(
                "SELECT coalesce(string_agg(queue_id || ' ' || date_diff('minute', TIMESTAMP '2026-11-24 10:00:00', time), ', ' ORDER BY queue_id), '') FROM {table}"
            ),
        )
    };
    assert_eq!(of("queued_mail"), of("queued_recipient"));
    of("queued_mail")
}

#[test]
fn only_what_changed_is_written_again() {
    let mut store = Store::open_in_memory().unwrap();
    store.write_queue(listing(0, &[1, 2, 3])).unwrap();
    assert_eq!(written(&store), "4Zq1 0, 4Zq2 0, 4Zq3 0");
    store.write_queue(listing(1, &[2, 3, 4])).unwrap();
    assert_eq!(written(&store), "4Zq2 0, 4Zq3 0, 4Zq4 1");
    let mut changed = listing(2, &[2, 3, 4]);
    changed.mails[1].digest = 77;
    let batch = Batch {
        small: vec![SmallRow::Queue(Box::new(changed))],
        ..Batch::default()
    };
    store.commit(batch).unwrap();
    assert_eq!(written(&store), "4Zq2 0, 4Zq3 2, 4Zq4 1");
    // Retention goes by the time of the row: what waits for long is written again.
    store.write_queue(listing(13 * 60, &[2, 3, 4])).unwrap();
    assert_eq!(written(&store), "4Zq2 780, 4Zq3 780, 4Zq4 780");
    store.write_queue(listing(13 * 60 + 1, &[])).unwrap();
    assert_eq!(written(&store), "");
    let number = |sql: &str| number(&store, sql);
    assert_eq!(number("SELECT count(*) FROM queue_listing"), 1);
    assert_eq!(number("SELECT count(*) FROM queue_snapshot"), 5);
}

#[test]
fn a_mail_has_what_the_log_knows_of_it_and_not_of_an_older_one_of_the_same_id() {
    let mut store = Store::open_in_memory().unwrap();
    let before = DeliveryFrom {
        time: T0.plus(-HOUR),
        ..done(90)
    };
    let older = DeliveryFrom {
        queue_id: "4Zq1".into(),
        ..before
    };
    let changes = Changes {
        from_inserts: vec![message(1), older],
        to_inserts: vec![DeliveryTo {
            recipient: "bob1@example.com".into(),
            attempts: 3,
            time: T0.plus(10 * MINUTE),
            ..recipient(10, 1)
        }],
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    store.write_queue(listing(15, &[1, 2])).unwrap();
    let rows = store.select(
        "SELECT queue_id, from_id, attempts, client_address, next_attempt - last_attempt = INTERVAL '599' SECOND AS is_due FROM queue ORDER BY queue_id",
        &[],
    );
    let text = |text: &str| Cell::Text(text.to_owned());
    let first = vec![
        text("4Zq1"),
        Cell::Int(1),
        Cell::Int(3),
        text("192.0.2.25"),
        Cell::Bool(true),
    ];
    let mut second = vec![Cell::Null; 5];
    second[0] = text("4Zq2");
    assert_eq!(rows.unwrap().rows, [first, second]);
    let joined = "SELECT count(*) FROM queue_recipient r JOIN delivery_to t USING (from_id, recipient) WHERE t.attempts = 3";
    assert_eq!(number(&store, joined), 1);
}

#[test]
fn log_and_queue_disagree() {
    let mut store = Store::open_in_memory().unwrap();
    let elsewhere = DeliveryFrom {
        host: "mx2".into(),
        ..message(4)
    };
    let other = DeliveryFrom {
        instance: "postfix-out".into(),
        ..message(5)
    };
    let changes = Changes {
        from_inserts: vec![message(1), message(2), done(3), elsewhere, other],
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    store.write_queue(listing(15, &[1, 3, 9])).unwrap();
    let found = text(
        &store,
        "SELECT string_agg(what || ' ' || queue_id, ', ' ORDER BY what, queue_id) FROM queue_disagreement",
    );
    assert_eq!(
        found,
        "left the queue in the log 4Zq3, not in the log 4Zq9, not in the queue 4Zq2"
    );
    let status = store.status(10).unwrap();
    assert_eq!(status.disagreement.rows.len(), 3);
    assert_eq!(status.queue.rows.len(), 1);
    // An empty queue has nobody's mail, and the machine is known by its name.
    let mut empty = listing(16, &[]);
    empty.listing.host = "MX1".to_owned();
    store.write_queue(empty).unwrap();
    let covered = "INSERT INTO coverage (source_id, host, hour, first_time, last_time, lines, understood, ignored, \"foreign\", not_understood, lost, known) \
                   SELECT 1, host, time, time, time, 1, 1, 0, 0, 0, 0, 0 FROM delivery_from";
    store.conn.execute_batch(covered).unwrap();
    let found = text(
        &store,
        "SELECT string_agg(what || ' ' || queue_id, ', ' ORDER BY what, queue_id) FROM queue_disagreement",
    );
    assert_eq!(found, "not in the queue 4Zq1, not in the queue 4Zq2");
}

#[test]
fn an_address_goes_out_of_the_listing() {
    let mut store = Store::open_in_memory().unwrap();
    store.write_queue(listing(0, &[1, 2])).unwrap();
    let erased = store.erase(Address::parse("bob2@example.com").unwrap());
    assert_eq!(erased.unwrap().gone, [("queued_recipient", 1)]);
    let erased = store.erase(Address::parse("Alice@example.org").unwrap());
    assert_eq!(erased.unwrap().gone, [("queued_mail", 2)]);
}

#[test]
fn a_listing_that_is_old_goes() {
    let mut store = Store::open_in_memory().unwrap();
    store.write_queue(listing(0, &[1])).unwrap();
    store.write_queue(listing(1, &[1, 2])).unwrap();
    let mut cutoffs = Cutoffs::default();
    cutoffs.set(Group::Queue, Some(T0.plus(MINUTE)));
    super::retain::prune(&mut store, cutoffs);
    assert_eq!(written(&store), "4Zq2 1");
    cutoffs.set(Group::Queue, Some(T0.plus(HOUR)));
    super::retain::prune(&mut store, cutoffs);
    assert_eq!(written(&store), "");
    assert_eq!(count(&store, "queue_listing"), 0);
    assert_eq!(count(&store, "queue_snapshot"), 0);
}
