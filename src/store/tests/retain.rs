//! Pruning by age, and what counts rows over commits.

use super::*;
use crate::model::retain::{Cutoffs, Group};
use crate::model::time::DAY;
use crate::store::retain::Gone;

pub(super) fn before(group: Group, time: Time) -> Cutoffs {
    let mut cutoffs = Cutoffs::default();
    cutoffs.set(group, Some(time));
    cutoffs
}

pub(super) fn prune(store: &mut Store, cutoffs: Cutoffs) -> Gone {
    store.prune(cutoffs).unwrap()
}

#[test]
fn what_belongs_to_a_message_goes_with_it_and_open_ones_stay() {
    let mut store = Store::open_in_memory().unwrap();
    let parts = |id: i64| (recipient(10 * id, id), line(id, "raw"));
    let attempt = |id: i64| DeliveryAttempt {
        id,
        to_id: 10 * id,
        from_id: id,
        time: T0,
        state: attempt("deferred"),
    };
    // 2 is in the queue, 3 is young, 4 is closed but the correlator has it.
    let changes = Changes {
        from_inserts: vec![done(1), message(2), done(100), done(4)],
        to_inserts: [1, 2, 100, 4].map(|id| parts(id).0).to_vec(),
        attempts: [1, 2, 100, 4].map(attempt).to_vec(),
        log_lines: [1, 2, 100, 4].map(|id| parts(id).1).to_vec(),
        state: state(r#"{"closed":[4]}"#),
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    let cutoffs = before(Group::Deliveries, T0.plus(50 * SECOND));
    let gone = prune(&mut store, cutoffs);
    let one = |table| (table, 1);
    let expected = [
        "delivery_to",
        "delivery_attempt",
        "log_line",
        "delivery_from",
    ]
    .map(one);
    assert_eq!(gone, expected);
    for (table, column) in [
        ("delivery_from", "id"),
        ("delivery_to", "from_id"),
        ("delivery_attempt", "from_id"),
        ("log_line", "from_id"),
    ] {
        let left = format!("SELECT string_agg({column}, ' ' ORDER BY {column}) FROM {table}");
        assert_eq!(text(&store, &left), "2 4 100", "{table}");
    }
    let total = "SELECT sum(value)::BIGINT FROM counter WHERE name = 'maillog_pruned_rows_total'";
    assert_eq!(number(&store, total), 4);
}

#[test]
fn raw_lines_go_early_but_not_those_of_open_messages() {
    let mut store = Store::open_in_memory().unwrap();
    let refusal = LogLine {
        from_id: None,
        noqueue_id: Some(1),
        ..line(3, "refused")
    };
    let changes = Changes {
        from_inserts: vec![done(1), message(2)],
        log_lines: vec![
            line(1, "of a closed one"),
            line(2, "of an open one"),
            refusal,
        ],
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    prune(&mut store, before(Group::Lines, T0.plus(DAY)));
    assert_eq!(text(&store, "SELECT line FROM log_line"), "of an open one");
    assert_eq!(count(&store, "delivery_from"), 2);
}

#[test]
fn many_slices_leave_exactly_what_is_young_whatever_the_order_of_rows() {
    let mut store = Store::open_in_memory().unwrap();
    // Younger and older rows in turns, as after a backfill.
    let refusals = |ids: std::ops::Range<i64>| -> Vec<Noqueue> {
        ids.map(|id| Noqueue {
            id,
            time: T0.plus(if id % 3 == 0 { DAY } else { -DAY }),
            host: "mx1".into(),
            instance: "postfix".into(),
            service: "smtpd".into(),
            action: "reject".into(),
            protocol_state: "RCPT".into(),
            reason: "550".into(),
            count: 1,
            ..Noqueue::default()
        })
        .collect()
    };
    for part in 0..6 {
        let changes = Changes {
            noqueues: refusals(part * 30_000..(part + 1) * 30_000),
            ..Changes::default()
        };
        store.commit(batch(changes)).unwrap();
    }
    let gone = prune(&mut store, before(Group::Noqueue, T0));
    assert_eq!(gone, [("noqueue", 120_000)]);
    assert_eq!(count(&store, "noqueue"), 60_000);
    assert_eq!(
        number(&store, "SELECT count(*) FROM noqueue WHERE id % 3 <> 0"),
        0
    );
    assert_eq!(prune(&mut store, before(Group::Noqueue, T0)), []);
}

#[test]
fn nothing_vouches_for_time_that_is_gone_and_the_cursor_stays() {
    let mut store = Store::open_in_memory().unwrap();
    let first = Batch {
        cursors: vec![cursor(None, "a", 5)],
        coverage: vec![coverage("a", 0, 10), coverage("a", 48, 10)],
        anchors: vec![(
            file_key("a"),
            vec![crate::model::cursor::Anchor {
                hash: 1,
                position: 2,
            }],
        )],
        unparsed: vec![UnparsedRow {
            service: "smtpd".into(),
            template: "?".into(),
            sample: "what".into(),
            first_time: Some(T0),
            last_time: Some(T0),
            count: 1,
        }],
        ..batch(Changes {
            events: vec![event(T0)],
            ..Changes::default()
        })
    };
    store.commit(first).unwrap();
    let mut cutoffs = before(Group::Deliveries, T0.plus(DAY));
    cutoffs.set(Group::Event, Some(T0.plus(2 * DAY)));
    prune(&mut store, cutoffs);
    assert_eq!(count(&store, "coverage"), 1);
    assert_eq!(count(&store, "event"), 0);
    assert_eq!(count(&store, "unparsed"), 0);
    assert_eq!(count(&store, "anchor"), 1);
    cutoffs.ledger = Some(T0.plus(DAY));
    prune(&mut store, cutoffs);
    assert_eq!(count(&store, "anchor"), 0);
    assert_eq!(store.sources().unwrap().len(), 1);
    // A year and more after the last row that it can have brought, the source itself.
    cutoffs.set(Group::Deliveries, Some(T0.plus(400 * DAY)));
    cutoffs.ledger = Some(T0.plus(400 * DAY));
    prune(&mut store, cutoffs);
    assert_eq!(store.sources().unwrap().len(), 0);
    // It is remembered nowhere: the next commit gives it a row again.
    let again = Batch {
        cursors: vec![cursor(None, "a", 6)],
        ..batch(Changes::default())
    };
    store.commit(again).unwrap();
    assert_eq!(store.sources().unwrap().len(), 1);
}

pub(super) fn event(day: Time) -> EventRow {
    EventRow {
        day: Time(day.0.div_euclid(DAY) * DAY),
        host: "mx1".into(),
        instance: "postfix".into(),
        service: "smtpd".into(),
        level: "warning".into(),
        template: "bad * from *".into(),
        sample: "bad <Alice@Example.ORG> from x".into(),
        first_time: day,
        last_time: day,
        count: 1,
    }
}

#[test]
fn the_preview_counts_what_pruning_deletes() {
    let mut store = Store::open_in_memory().unwrap();
    let changes = Changes {
        from_inserts: vec![done(1), message(2), done(100)],
        to_inserts: [1, 2, 100].map(|id| recipient(id, id)).to_vec(),
        log_lines: [1, 2, 100].map(|id| line(id, "raw")).to_vec(),
        events: vec![event(T0), event(T0.plus(9 * DAY))],
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    let mut cutoffs = Cutoffs::default();
    for group in Group::ALL {
        cutoffs.set(group, Some(T0.plus(50 * SECOND)));
    }
    cutoffs.set(Group::Event, Some(T0.plus(DAY)));
    let (sql, params) = crate::store::retain::preview(&cutoffs);
    let table = store.select(&sql, &params).unwrap();
    let told: Vec<(String, i64)> = table
        .rows
        .iter()
        .map(|row| match &row[..2] {
            [Cell::Text(table), Cell::Int(rows)] => (table.clone(), *rows),
            other => panic!("{other:?}"),
        })
        .collect();
    let mut gone: Vec<(String, i64)> = prune(&mut store, cutoffs)
        .into_iter()
        .map(|(table, rows)| (table.to_owned(), i64::try_from(rows).unwrap()))
        .collect();
    gone.sort();
    let mut sorted = told;
    sorted.sort();
    assert_eq!(sorted, gone);
}

fn counts(names: impl Iterator<Item = String>) -> Batch {
    Batch {
        counts: names
            .map(|labels| crate::metrics::Count {
                name: "x_total".to_owned(),
                labels,
                value: 1.5,
            })
            .collect(),
        ..batch(Changes::default())
    }
}

#[test]
fn totals_add_up_over_commits_and_their_series_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.db");
    let mut store = Store::open_writer(&path).unwrap();
    let label = |n: i64| format!("host=\"h{n}\"");
    store.commit(counts((0..150).map(label))).unwrap();
    store
        .commit(counts((0..150).chain(0..1).map(label)))
        .unwrap();
    drop(store);
    let mut store = Store::open_writer(&path).unwrap();
    store.commit(counts((0..1000).map(label))).unwrap();
    assert_eq!(count(&store, "counter"), 201);
    let value = |labels: &str| {
        let sql = format!("SELECT (value * 10)::BIGINT FROM counter WHERE labels = '{labels}'");
        number(&store, &sql)
    };
    assert_eq!(value("host=\"h0\""), 60);
    assert_eq!(value("host=\"h3\""), 45);
    assert_eq!(value("host=\"h199\""), 15);
    assert_eq!(value("host=\"other\""), 800 * 15);
}
