//! The storing thread between a stream of log and small producers. Commits are counted, not timed.

use super::*;
use crate::ingest::small::WAITING;
use crate::model::cursor::{Cursor, SourceKey, StoredCursor};
use crate::model::small::SmallRow;
use crate::model::table::Cell;
use crate::model::task::TaskRun;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Parts of log, as many as come in a minute.
const PARTS: u64 = 60;

fn part(no: u64) -> Part {
    let cursor = Cursor {
        key: SourceKey::Stdin,
        name: "-".to_owned(),
        offset: no,
        journal: None,
        last_time: None,
        state: String::new(),
    };
    Part {
        no,
        batch: Batch {
            cursors: vec![StoredCursor {
                source_id: None,
                cursor,
            }],
            ..Batch::default()
        },
        streams: vec![StreamNo::default()],
        is_urgent: true,
        replies: Vec::new(),
    }
}

fn row(name: &str) -> SmallRow {
    SmallRow::TaskRun(TaskRun {
        name: name.to_owned(),
        ..TaskRun::default()
    })
}

fn stored(store: &Store) -> i64 {
    let table = store.select("SELECT count(*) FROM task_run", &[]).unwrap();
    match table.rows[0][0] {
        Cell::Int(count) => count,
        ref other => panic!("{other:?}"),
    }
}

/// Returns the commits of a stream of log during which so many rows of small producers come with each part.
fn commits(rows: usize) -> u64 {
    let (jobs, todo) = Jobs::channel();
    let (store, health) = (Store::open_in_memory().unwrap(), Health::default());
    let mut keeper = Keeper::new(store, HashMap::new(), &todo.small, None, &health);
    let mut added = 0;
    for no in 1..=PARTS {
        for _ in 0..rows {
            added += 1;
            assert!(jobs.small.add(vec![row(&added.to_string())]));
        }
        keeper.part(part(no)).unwrap();
        // A second passes until the next part: all that time nothing else is committed.
        let now = keeper.committed + Duration::from_secs(1);
        keeper.settle(true, now).unwrap();
    }
    assert_eq!(stored(&keeper.store), added);
    health.commits().0
}

#[test]
fn a_thousand_small_rows_a_second_cost_no_commit() {
    let without = commits(0);
    assert_eq!(without, PARTS);
    assert_eq!(commits(1000), without);
}

#[test]
fn in_a_quiet_time_small_rows_are_stored_once_they_have_waited() {
    let (jobs, todo) = Jobs::channel();
    let (store, health) = (Store::open_in_memory().unwrap(), Health::default());
    let mut keeper = Keeper::new(store, HashMap::new(), &todo.small, None, &health);
    keeper.part(part(1)).unwrap();
    jobs.small.add(vec![row("a"), row("b")]);
    let committed = keeper.committed;
    let soon = committed + QUIET.checked_sub(Duration::from_millis(1)).unwrap();
    keeper.settle(true, soon).unwrap();
    assert_eq!(stored(&keeper.store), 0);
    keeper.settle(true, committed + QUIET).unwrap();
    assert_eq!(stored(&keeper.store), 2);
    assert_eq!(health.commits().0, 2);
    // Without rows nothing is committed, however long it is quiet.
    keeper.settle(true, committed + QUIET * 100).unwrap();
    assert_eq!(health.commits().0, 2);
}

#[test]
fn an_open_transaction_is_not_ended_for_small_rows_while_parts_come() {
    let (jobs, todo) = Jobs::channel();
    let (store, health) = (Store::open_in_memory().unwrap(), Health::default());
    let mut keeper = Keeper::new(store, HashMap::new(), &todo.small, None, &health);
    let open = Part {
        is_urgent: false,
        ..part(1)
    };
    keeper.part(open).unwrap();
    jobs.small.add(vec![row("a")]);
    let late = keeper.committed + QUIET * 10;
    keeper.settle(false, late).unwrap();
    assert_eq!(health.commits().0, 0);
    // When no more comes, both are stored.
    keeper.settle(true, late).unwrap();
    assert_eq!(health.commits().0, 1);
    assert_eq!(stored(&keeper.store), 1);
    assert_eq!(keeper.store.sources().unwrap().len(), 1);
}

#[test]
fn whoever_wants_to_know_is_told_once_the_rows_are_stored() {
    let (jobs, todo) = Jobs::channel();
    let store = Store::open_in_memory().unwrap();
    let storing = std::thread::spawn(move || {
        let health = Health::default();
        let store = keep(store, HashMap::new(), &todo, &health, None).unwrap();
        stored(&store)
    });
    assert!(jobs.small_rows().store(vec![row("a"), row("b")]));
    let seen = jobs.run(|store| stored(store));
    assert_eq!(seen, Some(2));
    let small = jobs.small_rows().clone();
    // What is handed over last is stored before the end.
    assert!(small.add(vec![row("c")]));
    drop(jobs);
    assert_eq!(storing.join().unwrap(), 3);
    assert!(!small.add(vec![row("d")]) && !small.store(vec![row("d")]));
}

#[test]
fn producers_of_more_than_is_taken_wait() {
    const ROWS: usize = 3 * WAITING;
    let (jobs, todo) = Jobs::channel();
    let (store, health) = (Store::open_in_memory().unwrap(), Health::default());
    let mut keeper = Keeper::new(store, HashMap::new(), &todo.small, None, &health);
    let added = Arc::new(AtomicUsize::new(0));
    let producer = {
        let (small, added) = (jobs.small.clone(), Arc::clone(&added));
        std::thread::spawn(move || {
            for no in 0..ROWS {
                assert!(small.add(vec![row(&no.to_string())]));
                added.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let mut taken = 0;
    while taken < ROWS {
        // What is handed over and not yet stored is never more than may wait.
        let ahead = added.load(Ordering::SeqCst) - taken;
        assert!(ahead <= WAITING, "{ahead}");
        keeper.commit().unwrap();
        taken = usize::try_from(stored(&keeper.store)).unwrap();
    }
    producer.join().unwrap();
    assert_eq!(taken, ROWS);
}

#[test]
fn a_job_that_panics_leaves_nothing_and_storing_goes_on() {
    let (jobs, todo) = Jobs::channel();
    let store = Store::open_in_memory().unwrap();
    let storing = std::thread::spawn(move || {
        let health = Health::default();
        keep(store, HashMap::new(), &todo, &health, None)
            .map(|store| store.sources().unwrap().len())
    });
    assert!(jobs.store(part(1)));
    let nothing: Option<()> = jobs.run(|store| {
        let open = Part {
            is_urgent: false,
            ..part(7)
        };
        // A transaction is open when it happens.
        store.append(open.batch.changes).unwrap();
        panic!("killed by a test");
    });
    assert_eq!(nothing, None);
    assert!(jobs.store(part(2)));
    assert!(jobs.small_rows().store(vec![row("a")]));
    let offset = jobs.run(|store| store.sources().unwrap()[0].cursor.offset);
    assert_eq!(offset, Some(2));
    drop(jobs);
    assert_eq!(storing.join().unwrap().unwrap(), 1);
}
