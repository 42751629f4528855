use super::*;

fn removed(id: i64) -> DeliveryFrom {
    DeliveryFrom {
        removed: Some(T0.plus(HOUR)),
        status: "done".into(),
        ..message(id)
    }
}

fn sent(id: i64, from_id: i64) -> DeliveryTo {
    DeliveryTo {
        state: attempt("sent"),
        ..recipient(id, from_id)
    }
}

fn all(store: &Store) -> Vec<Vec<Cell>> {
    let sql = "SELECT f.*, t.* FROM delivery_from f FULL JOIN delivery_to t ON t.from_id = f.id ORDER BY ALL";
    store.select(sql, &[]).unwrap().rows
}

#[test]
fn appended_rows_are_seen_after_the_commit_only() {
    let mut store = Store::open_in_memory().unwrap();
    let changes = Changes {
        from_inserts: vec![message(1), removed(2)],
        to_inserts: vec![recipient(3, 1), sent(4, 2)],
        ..Changes::default()
    };
    store.append(changes).unwrap();
    assert_eq!(count(&store, "delivery_from"), 0);
    store.commit(batch(Changes::default())).unwrap();
    assert_eq!(
        (count(&store, "delivery_from"), count(&store, "delivery_to")),
        (2, 2)
    );
    let state = store.open_state().unwrap();
    assert_eq!(
        (state.messages, state.recipients),
        (vec![message(1)], vec![recipient(3, 1)])
    );
}

/// The life of some messages, in four steps.
fn life() -> [Changes; 4] {
    [
        Changes {
            from_inserts: vec![message(1), removed(2), message(3), message(4)],
            to_inserts: vec![
                recipient(10, 1),
                sent(11, 2),
                recipient(12, 3),
                recipient(13, 4),
                recipient(14, 4),
            ],
            ..Changes::default()
        },
        Changes {
            from_updates: vec![DeliveryFrom {
                size: Some(7),
                ..message(1)
            }],
            to_updates: vec![sent(10, 1)],
            to_inserts: vec![recipient(15, 1), sent(16, 2)],
            to_deletes: vec![14],
            from_deletes: vec![3],
            ..Changes::default()
        },
        Changes {
            from_updates: vec![
                removed(1),
                DeliveryFrom {
                    size: Some(9),
                    ..removed(2)
                },
            ],
            to_updates: vec![
                sent(15, 1),
                DeliveryTo {
                    attempts: 5,
                    ..sent(11, 2)
                },
            ],
            from_inserts: vec![message(5)],
            to_inserts: vec![recipient(17, 5), recipient(18, 1)],
            ..Changes::default()
        },
        Changes {
            from_updates: vec![
                DeliveryFrom {
                    log_incomplete: true,
                    ..removed(1)
                },
                removed(5),
            ],
            to_updates: vec![sent(13, 4), sent(18, 1)],
            ..Changes::default()
        },
    ]
}

#[test]
fn any_division_into_transactions_stores_the_same() {
    let mut expected = Store::open_in_memory().unwrap();
    for changes in life() {
        expected.commit(batch(changes)).unwrap();
    }
    let expected = all(&expected);
    assert_eq!(expected.len(), 7);
    for commits in 0..8_u8 {
        let mut store = Store::open_in_memory().unwrap();
        for (step, changes) in life().into_iter().enumerate() {
            if step == 3 || commits >> step & 1 == 1 {
                store.commit(batch(changes)).unwrap();
            } else {
                store.append(changes).unwrap();
            }
        }
        assert_eq!(all(&store), expected, "{commits:03b}");
    }
}

#[test]
fn failed_append_takes_the_whole_transaction_back() {
    let mut store = Store::open_in_memory().unwrap();
    store
        .commit(batch(Changes {
            from_inserts: vec![removed(1)],
            ..Changes::default()
        }))
        .unwrap();
    store
        .append(Changes {
            from_inserts: vec![removed(2), message(3)],
            ..Changes::default()
        })
        .unwrap();
    store
        .conn
        .execute_batch("ALTER TABLE delivery_to RENAME TO gone")
        .unwrap();
    let error = store.append(Changes {
        to_inserts: vec![sent(4, 2)],
        ..Changes::default()
    });
    assert!(error.is_err());
    // The renaming was part of the transaction, too.
    store
        .commit(batch(Changes {
            from_inserts: vec![removed(5)],
            ..Changes::default()
        }))
        .unwrap();
    assert_eq!(
        number(&store, "SELECT sum(id)::BIGINT FROM delivery_from"),
        6
    );
    assert_eq!(count(&store, "delivery_to"), 0);
}

#[test]
fn rows_of_many_row_groups_are_stored_in_one_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    let mut store = Store::open_writer(&path).unwrap();
    for part in 0..30 {
        let ids = part * 10_000..(part + 1) * 10_000;
        store
            .append(Changes {
                from_inserts: ids.map(removed).collect(),
                ..Changes::default()
            })
            .unwrap();
    }
    // A row of a row group that may be on disk already.
    store
        .append(Changes {
            from_updates: vec![DeliveryFrom {
                size: Some(7),
                ..removed(17)
            }],
            ..Changes::default()
        })
        .unwrap();
    store.commit(batch(Changes::default())).unwrap();
    drop(store);
    let store = Store::open_reader(&path).unwrap();
    assert_eq!(
        number(&store, "SELECT count(DISTINCT id) FROM delivery_from"),
        300_000
    );
    assert_eq!(
        number(&store, "SELECT id FROM delivery_from WHERE size = 7"),
        17
    );
}
