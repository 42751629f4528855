use super::*;
use crate::model::tables::{self, Holds, Table};
use crate::store::columns::Stored;

/// The schema is written by migrations; nothing else that knows tables may differ from it.
#[test]
fn the_list_of_tables_is_the_schema() {
    let store = Store::open_in_memory().unwrap();
    let sql = "SELECT string_agg(line, chr(10) ORDER BY line) FROM (SELECT table_name || ': ' || \
               string_agg(column_name, ' ' ORDER BY column_index) AS line FROM duckdb_columns() \
               WHERE schema_name = 'main' AND NOT internal AND table_name IN \
               (SELECT table_name FROM duckdb_tables() WHERE NOT temporary) GROUP BY table_name)";
    let line = |table: &Table| {
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        format!("{}: {}", table.name, names.join(" "))
    };
    let mut listed: Vec<String> = tables::tables().iter().map(line).collect();
    listed.sort();
    assert_eq!(text(&store, sql), listed.join("\n"));
}

#[test]
fn what_is_appended_has_the_columns_of_the_list() {
    fn check<R: Stored>() {
        let table = tables::table(R::TABLE).unwrap();
        let listed: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(R::columns(&[]).names(), listed, "{}", R::TABLE);
    }
    check::<DeliveryFrom>();
    check::<DeliveryTo>();
    check::<Noqueue>();
    check::<(i64, CoverageRow)>();
    check::<crate::store::seen::StoredRow>();
    check::<TaskRun>();
}

/// A text may hold anything that a log says: whoever adds one says what it holds of a person.
#[test]
fn texts_that_are_plain_hold_no_words_of_a_log() {
    let store = Store::open_in_memory().unwrap();
    let plain: Vec<String> = tables::tables()
        .iter()
        .flat_map(|table| table.columns.iter().map(move |c| (table, c)))
        .filter(|(_, c)| c.holds == Holds::Plain)
        .map(|(table, c)| format!("('{}', '{}')", table.name, c.name))
        .collect();
    let sql = format!(
        "SELECT string_agg(DISTINCT column_name, ' ' ORDER BY column_name) FROM duckdb_columns() \
         WHERE data_type = 'VARCHAR' AND (table_name, column_name) IN ({})",
        plain.join(", ")
    );
    insta::assert_snapshot!(text(&store, &sql));
}

#[test]
fn open_rows_come_back_as_they_were_stored() {
    let mut store = Store::open_in_memory().unwrap();
    let mut first = message(1);
    first.parent_id = Some(7);
    first.parent_link = Some("bounce".into());
    first.log_incomplete = true;
    first.subject = Some("Gr\u{fc}\u{df}e".into());
    let messages = vec![first, message(2)];
    let mut recipients = vec![recipient(3, 1), recipient(4, 2)];
    recipients[1].state = Attempt {
        status: "held".into(),
        ..Attempt::default()
    };
    store
        .commit(batch(Changes {
            from_inserts: messages.clone(),
            to_inserts: recipients.clone(),
            state: state("{\"next\":5}"),
            ..Changes::default()
        }))
        .unwrap();
    let open = store.open_state().unwrap();
    assert_eq!(open.state, state("{\"next\":5}"));
    assert_eq!(open.messages, messages);
    assert_eq!(open.recipients, recipients);
}

#[test]
fn empty_database_has_an_empty_state() {
    let store = Store::open_in_memory().unwrap();
    assert_eq!(
        store.open_state().unwrap(),
        crate::model::row::OpenState::default()
    );
    assert_eq!(store.sources().unwrap(), vec![]);
}

#[test]
fn removed_messages_are_restored_when_the_state_names_them() {
    let mut store = Store::open_in_memory().unwrap();
    let (mut early, mut late) = (message(1), message(2));
    early.removed = Some(T0.plus(-9 * MINUTE));
    late.removed = Some(T0.plus(-7 * MINUTE));
    store
        .commit(Batch {
            cursors: vec![cursor(None, "a", 10)],
            coverage: vec![coverage("a", 0, 10)],
            ..batch(Changes {
                from_inserts: vec![early, late.clone()],
                to_inserts: vec![recipient(3, 1), recipient(4, 2)],
                state: state(r#"{"closed":[2]}"#),
                ..Changes::default()
            })
        })
        .unwrap();
    let state = store.open_state().unwrap();
    assert_eq!(state.messages, vec![late]);
    assert_eq!(state.recipients, vec![recipient(4, 2)]);
}

#[test]
fn a_commit_that_failed_after_it_was_stored_is_not_to_be_repeated() {
    let mut store = Store::open_in_memory().unwrap();
    for number in 1..=3 {
        let rows = Changes {
            from_inserts: vec![message(number)],
            ..Changes::default()
        };
        store.commit(batch(rows)).unwrap();
        assert!(store.settle(Error::OutOfMemory, number).is_ok());
        let next = store.settle(Error::OutOfMemory, number + 1);
        assert!(matches!(next, Err(Error::OutOfMemory)));
    }
}

#[test]
fn of_the_state_only_what_changed_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    let part = |name: &str, text: &str| (name.into(), text.to_owned());
    let commit = |store: &mut Store, state: State| {
        let changes = Changes {
            state,
            ..Changes::default()
        };
        store.commit(batch(changes)).unwrap();
    };
    // A row whose text is what nobody wrote through a commit tells whether it was written again.
    let mark = "UPDATE open_message SET state = '{\"mark\":1}' WHERE name = 'still'";
    let stored = "SELECT string_agg(name || ' ' || state, ', ' ORDER BY name) FROM open_message";

    let mut store = Store::open_writer(&path).unwrap();
    commit(
        &mut store,
        [
            part("still", "[1]"),
            part("moves", "[1]"),
            part("goes", "[1]"),
        ]
        .into(),
    );
    store.conn.execute_batch(mark).unwrap();
    commit(
        &mut store,
        [
            part("still", "[1]"),
            part("moves", "[2]"),
            part("new", "[2]"),
        ]
        .into(),
    );
    let now = r#"goes {}, moves [2], new [2], still {"mark":1}"#;
    assert_eq!(text(&store, stored), now);
    // Who says nothing of the state leaves it.
    commit(&mut store, State::new());
    assert_eq!(text(&store, stored), now);
    drop(store);

    // After a restart a part comes back.
    let mut store = Store::open_writer(&path).unwrap();
    let mut state = store.open_state().unwrap().state;
    state.extend([part("goes", "[3]")]);
    commit(&mut store, state);
    let now = r#"goes [3], moves [2], new [2], still {"mark":1}"#;
    assert_eq!(text(&store, stored), now);
}

#[test]
fn updates_replace_all_columns_of_their_rows() {
    let mut store = Store::open_in_memory().unwrap();
    store
        .commit(batch(Changes {
            from_inserts: (0..5000).map(message).collect(),
            to_inserts: (0..5000).map(|id| recipient(id, id)).collect(),
            ..Changes::default()
        }))
        .unwrap();
    let mut changed = message(4711);
    changed.removed = Some(T0.plus(HOUR));
    changed.sender = None;
    changed.status = "done".into();
    let mut to = recipient(4711, 4711);
    to.state = attempt("sent");
    to.attempts = 2;
    // 99999 was pruned meanwhile.
    store
        .commit(batch(Changes {
            from_updates: vec![changed, message(99_999)],
            to_updates: vec![to],
            attempts: vec![DeliveryAttempt {
                id: 5000,
                to_id: 4711,
                from_id: 4711,
                time: T0,
                state: attempt("deferred"),
            }],
            ..Changes::default()
        }))
        .unwrap();
    assert_eq!(count(&store, "delivery_from"), 5000);
    assert_eq!(
        count(
            &store,
            "delivery_from WHERE sender IS NULL AND status = 'done' AND id = 4711"
        ),
        1
    );
    assert_eq!(
        count(
            &store,
            "delivery_to WHERE status = 'sent' AND attempts = 2 AND id = 4711"
        ),
        1
    );
    assert_eq!(count(&store, "attempt WHERE from_id = 4711"), 2);
}

#[test]
fn deleted_messages_take_their_recipients_and_attempts_along() {
    let mut store = Store::open_in_memory().unwrap();
    let line = |from_id| LogLine {
        time: T0,
        host: "mx1".into(),
        from_id: Some(from_id),
        noqueue_id: None,
        line: "postfix/qmgr[1]: x".to_owned(),
        neighbour_id: None,
    };
    store
        .commit(batch(Changes {
            from_inserts: vec![message(1), message(2)],
            to_inserts: vec![recipient(3, 1), recipient(4, 2), recipient(5, 2)],
            log_lines: vec![line(1), line(2)],
            ..Changes::default()
        }))
        .unwrap();
    store
        .commit(batch(Changes {
            from_deletes: vec![1],
            to_deletes: vec![5],
            ..Changes::default()
        }))
        .unwrap();
    assert_eq!(
        number(&store, "SELECT sum(id)::BIGINT FROM delivery_from"),
        2
    );
    assert_eq!(number(&store, "SELECT sum(id)::BIGINT FROM delivery_to"), 4);
    assert_eq!(
        number(&store, "SELECT sum(from_id)::BIGINT FROM log_line"),
        2
    );
}

#[test]
fn every_table_takes_its_rows() {
    let mut store = Store::open_in_memory().unwrap();
    store
        .commit(batch(Changes {
            noqueues: vec![Noqueue {
                id: 1,
                time: T0,
                action: "reject".into(),
                count: 1,
                ..Noqueue::default()
            }],
            connections: vec![crate::model::row::Connection {
                id: 2,
                time: T0,
                duration: Some(0.5),
                count: 1,
                ..Default::default()
            }],
            auths: vec![Auth {
                id: 3,
                time: T0,
                ok: true,
                count: 1,
                ..Auth::default()
            }],
            ..Changes::default()
        }))
        .unwrap();
    for table in ["noqueue", "connection", "auth"] {
        assert_eq!(count(&store, table), 1, "{table}");
    }
    assert_eq!(
        store
            .select("SELECT duration, client_name FROM connection", &[])
            .unwrap()
            .rows,
        [[Cell::Float(0.5), Cell::Null]]
    );
}

#[test]
fn counts_of_coverage_events_and_templates_add_up() {
    let mut store = Store::open_in_memory().unwrap();
    let event = |count, at: i64| EventRow {
        day: T0,
        host: "mx1".into(),
        level: "warning".into(),
        template: "dict_nis_init: *".into(),
        sample: format!("at {at}").into(),
        first_time: T0.plus(at),
        last_time: T0.plus(at),
        count,
        ..EventRow::default()
    };
    let template = |count, at: Option<i64>| UnparsedRow {
        service: "smtpd".into(),
        template: "odd *".into(),
        sample: "odd 1".into(),
        first_time: at.map(|at| T0.plus(at)),
        last_time: at.map(|at| T0.plus(at)),
        count,
    };
    for round in 0..3 {
        store
            .commit(Batch {
                cursors: vec![cursor(None, "a", 10 + round)],
                coverage: vec![
                    coverage("a", 0, 10),
                    coverage("a", 1, 20),
                    coverage("a", 0, 5),
                ],
                unparsed: vec![template(2, None), template(1, Some(5))],
                ..batch(Changes {
                    events: vec![event(4, i64::try_from(round).unwrap())],
                    ..Changes::default()
                })
            })
            .unwrap();
    }
    assert_eq!(count(&store, "coverage"), 2);
    assert_eq!(
        number(&store, "SELECT sum(lines)::BIGINT FROM coverage"),
        105
    );
    assert_eq!(
        number(&store, "SELECT sum(\"foreign\")::BIGINT FROM coverage"),
        9
    );
    assert_eq!(
        count(
            &store,
            "event WHERE count = 12 AND sample = 'at 0' AND last_time - first_time = INTERVAL 2 MICROSECOND"
        ),
        1
    );
    assert_eq!(
        count(
            &store,
            "unparsed WHERE count = 9 AND first_time = last_time"
        ),
        1
    );
}

#[test]
fn cursor_with_a_number_replaces_the_key_too() {
    let mut store = Store::open_in_memory().unwrap();
    let two = vec![cursor(None, "short", 10), cursor(None, "other", 7)];
    let ids = store
        .commit(Batch {
            cursors: two,
            now: T0,
            ..Batch::default()
        })
        .unwrap();
    assert_eq!(ids, [1, 2]);
    let again = vec![cursor(None, "short", 20), cursor(Some(1), "longer", 30)];
    let ids = store
        .commit(Batch {
            cursors: again,
            now: T0.plus(HOUR),
            ..Batch::default()
        })
        .unwrap();
    assert_eq!(ids, [1, 1]);
    assert_eq!(
        store.sources().unwrap(),
        [cursor(Some(1), "longer", 30), cursor(Some(2), "other", 7)]
    );
    assert_eq!(
        count(
            &store,
            "source WHERE id = 1 AND last_read - first_read = INTERVAL 1 HOUR"
        ),
        1
    );
    // Counts of lines read before the file grew still find their source.
    let late = vec![coverage("short", 0, 10), coverage("longer", 0, 10)];
    store
        .commit(Batch {
            coverage: late,
            now: T0,
            ..Batch::default()
        })
        .unwrap();
    assert_eq!(
        count(&store, "coverage WHERE source_id = 1 AND lines = 20"),
        1
    );
}

#[test]
fn coverage_without_a_source_stores_nothing() {
    let mut store = Store::open_in_memory().unwrap();
    let error = store
        .commit(Batch {
            coverage: vec![coverage("a", 0, 10)],
            ..batch(Changes {
                from_inserts: vec![message(1)],
                ..Changes::default()
            })
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "table source holds a value that maillog did not write: a source has no stored position"
    );
    assert_eq!(count(&store, "delivery_from"), 0);
    store
        .commit(batch(Changes {
            from_inserts: vec![message(1)],
            ..Changes::default()
        }))
        .unwrap();
    assert_eq!(count(&store, "delivery_from"), 1);
}

#[test]
fn text_of_any_kind_is_stored() {
    let mut store = Store::open_in_memory().unwrap();
    let odd = [
        "",
        "\0",
        "a\0b",
        "\u{fffd}",
        "'; DROP TABLE meta; --",
        "\u{1f4e7}",
        &"x".repeat(100_000),
    ];
    let rows = odd.iter().zip(1..).map(|(text, id)| DeliveryFrom {
        subject: Some((*text).into()),
        ..message(id)
    });
    let rows: Vec<_> = rows.collect();
    store
        .commit(batch(Changes {
            from_inserts: rows.clone(),
            ..Changes::default()
        }))
        .unwrap();
    assert_eq!(store.open_state().unwrap().messages, rows);
}
