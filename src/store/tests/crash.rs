//! The story: a service is killed with SIGKILL at any instant, also within a commit or a checkpoint. What is found
//! afterwards must be the commits up to some number, each whole: rows, updates, cursor and coverage agree.

use super::*;
use std::env;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PLACE: &str = "MAILLOG_TEST_CRASH";
const ROWS: &str = "MAILLOG_TEST_CRASH_ROWS";
/// Messages of one commit that the next one updates.
const UPDATES: i64 = 100;

fn step(number: i64, rows: i64) -> Batch {
    let ids = number * rows..(number + 1) * rows;
    let before = (number - 1).max(0) * rows;
    let updated = before..before + if number > 0 { UPDATES } else { 0 };
    let done = |id| DeliveryFrom {
        removed: Some(T0),
        status: "done".into(),
        ..message(id)
    };
    Batch {
        cursors: vec![cursor(None, "a", u64::try_from(number).unwrap())],
        coverage: vec![coverage("a", 0, 1)],
        ..batch(Changes {
            from_inserts: ids.clone().map(message).collect(),
            from_updates: updated.map(done).collect(),
            to_inserts: ids.map(|id| recipient(id, id)).collect(),
            state: state(&number.to_string()),
            ..Changes::default()
        })
    }
}

/// Not a test: the process that the tests here kill.
#[test]
fn victim() {
    let (Some(path), Ok(rows)) = (env::var_os(PLACE), env::var(ROWS)) else {
        return;
    };
    let rows = rows.parse().unwrap();
    let mut store = Store::open_writer(Path::new(&path)).unwrap();
    let sources = store.sources().unwrap();
    let next = sources.first().map_or(0, |stored| stored.cursor.offset + 1);
    for number in i64::try_from(next).unwrap().. {
        store.commit(step(number, rows)).unwrap();
        if number % 7 == 0 {
            store.checkpoint().unwrap();
        }
    }
}

fn start(path: &Path, rows: i64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "store::tests::crash::victim", "--test-threads=1"])
        .env(PLACE, path)
        .env(ROWS, rows.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kill(mut victim: Child) {
    victim.kill().unwrap();
    victim.wait().unwrap();
}

/// Checks that the database holds whole commits, and returns their number.
fn whole_commits(store: &Store, rows: i64) -> i64 {
    let Some(stored) = store.sources().unwrap().pop() else {
        assert_eq!(count(store, "delivery_from"), 0);
        return 0;
    };
    let commits = i64::try_from(stored.cursor.offset).unwrap() + 1;
    assert_eq!(count(store, "delivery_from"), commits * rows);
    assert_eq!(count(store, "delivery_to"), commits * rows);
    let distinct = "SELECT count(DISTINCT id) FROM delivery_from";
    assert_eq!(number(store, distinct), commits * rows);
    let done = "delivery_from WHERE status = 'done' AND removed IS NOT NULL";
    assert_eq!(count(store, done), (commits - 1) * UPDATES);
    let lines = "SELECT sum(lines)::BIGINT FROM coverage";
    assert_eq!(number(store, lines), commits);
    let state = text(store, "SELECT state FROM open_message");
    assert_eq!(state, (commits - 1).to_string());
    commits
}

/// Starts a writer, kills it after a while, and looks; again and again.
fn kill_and_look(rows: i64, rounds: u64, wait: impl Fn(u64) -> u64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    let mut seen = 0;
    let mut round = 0;
    // A slow machine gets more rounds, and longer ones.
    while (round < rounds || seen < 3) && round < 40 {
        let victim = start(&path, rows);
        let began = Instant::now();
        while !path.exists() && began.elapsed() < Duration::from_secs(20) {
            sleep(Duration::from_millis(2));
        }
        sleep(Duration::from_millis(wait(round)));
        kill(victim);
        // Readers see it at once, the WAL not yet taken over; so does the next writer.
        let by_reader = match Store::open_reader(&path) {
            Err(Error::Missing { .. }) => 0,
            opened => whole_commits(&opened.unwrap(), rows),
        };
        assert!(
            by_reader >= seen,
            "commits were lost: {seen}, then {by_reader}"
        );
        if round % 3 == 0 {
            let by_writer = whole_commits(&Store::open_writer(&path).unwrap(), rows);
            assert_eq!(by_writer, by_reader);
        }
        seen = by_reader;
        round += 1;
    }
    assert!(seen > 0, "no commit in all rounds");
}

#[test]
fn killed_at_any_instant() {
    kill_and_look(UPDATES, 12, |round| 30 + 83 * (round % 6) + 7 * round);
}

/// More than a row group: rows go to the file before the commit.
#[test]
fn killed_in_a_bulk_commit() {
    kill_and_look(130_000, 4, |round| 700 + 570 * round);
}

#[test]
fn locked_database_names_its_holder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    let victim = start(&path, UPDATES);
    let pid = victim.id();
    let began = Instant::now();
    let holder = loop {
        match Store::open_reader(&path) {
            Err(Error::Locked { holder, .. }) => break Some(holder),
            _ if began.elapsed() > Duration::from_secs(20) => break None,
            _ => sleep(Duration::from_millis(5)),
        }
    };
    let by_writer = Store::open_writer(&path)
        .err()
        .map(|error| error.to_string());
    kill(victim);
    let holder = holder.expect("never locked");
    assert_eq!(holder.pid, Some(pid));
    assert!(
        holder
            .name
            .as_deref()
            .is_some_and(|name| name.starts_with("maillog")),
        "{holder:?}"
    );
    assert_eq!(
        by_writer,
        Some(format!("{} is in use by {holder}", path.display()))
    );
}
