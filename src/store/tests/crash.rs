//! The story: a service is killed with SIGKILL at any instant, also within a commit or a checkpoint. What is found
//! afterwards must be the commits up to some number, each whole: rows, updates, cursor and coverage agree.

use super::*;
use std::env;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PLACE: &str = "MAILLOG_TEST_CRASH";
/// Messages of one commit; the next one updates them all.
const ROWS: i64 = 100;

fn step(number: i64) -> Batch {
    let ids = number * ROWS..(number + 1) * ROWS;
    let before = (number - 1).max(0) * ROWS..number * ROWS;
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
            from_updates: before.map(done).collect(),
            to_inserts: ids.map(|id| recipient(id, id)).collect(),
            state: number.to_string(),
            ..Changes::default()
        })
    }
}

/// Not a test: the process that `killed_at_any_instant` kills.
#[test]
fn victim() {
    let Some(path) = env::var_os(PLACE) else {
        return;
    };
    let mut store = Store::open_writer(Path::new(&path)).unwrap();
    let next = store
        .sources()
        .unwrap()
        .first()
        .map_or(0, |stored| stored.cursor.offset + 1);
    for number in i64::try_from(next).unwrap().. {
        store.commit(step(number)).unwrap();
        if number % 7 == 0 {
            store.checkpoint().unwrap();
        }
    }
}

fn start(path: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "store::tests::crash::victim", "--test-threads=1"])
        .env(PLACE, path)
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
fn whole_commits(store: &Store) -> i64 {
    let Some(stored) = store.sources().unwrap().pop() else {
        assert_eq!(count(store, "delivery_from"), 0);
        return 0;
    };
    let commits = i64::try_from(stored.cursor.offset).unwrap() + 1;
    assert_eq!(count(store, "delivery_from"), commits * ROWS);
    assert_eq!(count(store, "delivery_to"), commits * ROWS);
    assert_eq!(
        number(store, "SELECT count(DISTINCT id) FROM delivery_from"),
        commits * ROWS
    );
    assert_eq!(
        count(store, "delivery_from WHERE status = 'done'"),
        (commits - 1) * ROWS
    );
    assert_eq!(
        count(
            store,
            &format!(
                "delivery_from WHERE removed IS NULL AND id >= {}",
                (commits - 1) * ROWS
            )
        ),
        ROWS
    );
    assert_eq!(
        number(store, "SELECT sum(lines)::BIGINT FROM coverage"),
        commits
    );
    assert_eq!(
        store.open_state(none_closed).unwrap().state,
        (commits - 1).to_string()
    );
    commits
}

#[test]
fn killed_at_any_instant() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    let mut seen = 0;
    for round in 0..12_u64 {
        let victim = start(&path);
        let began = Instant::now();
        while !path.exists() && began.elapsed() < Duration::from_secs(20) {
            sleep(Duration::from_millis(2));
        }
        sleep(Duration::from_millis(30 + 83 * (round % 6) + 7 * round));
        kill(victim);
        // Readers see it at once, the WAL not yet taken over; so does the next writer.
        let by_reader = match Store::open_reader(&path) {
            Err(Error::Missing { .. }) => 0,
            opened => whole_commits(&opened.unwrap()),
        };
        assert!(
            by_reader >= seen,
            "commits were lost: {seen}, then {by_reader}"
        );
        if round % 3 == 0 {
            assert_eq!(
                whole_commits(&Store::open_writer(&path).unwrap()),
                by_reader
            );
        }
        seen = by_reader;
    }
    assert!(seen > 3, "only {seen} commits in all rounds");
}

#[test]
fn locked_database_names_its_holder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    let victim = start(&path);
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
