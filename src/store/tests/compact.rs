//! Compaction: what it leaves out, keeps and survives.

use super::erase::{TO, filled};
use super::retain::{before, prune};
use super::*;
use crate::model::retain::Group;
use crate::store::compact::{self, compact};
use crate::store::erase::Address;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn holds(path: &Path, needle: &[u8]) -> bool {
    let data = fs::read(path).unwrap_or_default();
    let lower = data.to_ascii_lowercase();
    memchr::memmem::find(&lower, needle).is_some()
}

#[test]
fn after_compaction_no_byte_of_any_file_has_the_address() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it's [a] file.db");
    let mut store = Store::open_writer(&path).unwrap();
    store.commit(batch(filled())).unwrap();
    let wal = dir.path().join("it's [a] file.db.wal");
    assert!(holds(&wal, b"alice.o'neil@example.org"));
    store.checkpoint().unwrap();
    assert!(holds(&path, b"alice.o'neil@example.org"));
    store.erase(Address::parse(TO).unwrap()).unwrap();
    store.checkpoint().unwrap();
    drop(store);
    compact(&path, Limits::WRITER).unwrap();
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["it's [a] file.db"]);
    let whole: [&[u8]; 3] = [
        b"<alice.o'neil@example.org>",
        b"-alice.o'neil=example.org",
        b"alices-laptop",
    ];
    for needle in whole {
        assert!(!holds(&path, needle), "{}", String::from_utf8_lossy(needle));
    }
    assert!(
        holds(&path, b"malice.o'neil@example.org"),
        "the copy is readable text"
    );
}

/// Makes a database of this many messages with a recipient each.
fn big(path: &Path, messages: i64) -> Store {
    let mut store = Store::open_writer(path).unwrap();
    let changes = Changes {
        from_inserts: (0..messages).map(done).collect(),
        to_inserts: (0..messages).map(|id| recipient(id, id)).collect(),
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    store
}

#[test]
fn compaction_keeps_everything_and_gives_room_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.db");
    let mut store = big(&path, 200_000);
    store
        .commit(Batch {
            cursors: vec![cursor(None, "a", 5)],
            ..batch(Changes::default())
        })
        .unwrap();
    store.checkpoint().unwrap();
    prune(
        &mut store,
        before(Group::Deliveries, T0.plus(190_000 * SECOND)),
    );
    store.wish_compaction().unwrap();
    assert!(store.wishes_compaction().unwrap());
    store.checkpoint().unwrap();
    let space = store.space().unwrap();
    assert!(space.free > space.total / 3, "{space:?}");
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let sizes = compact(&path, Limits::WRITER).unwrap();
    assert!(sizes.after < sizes.before / 3, "{sizes:?}");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let store = Store::open_writer(&path).unwrap();
    assert!(!store.wishes_compaction().unwrap());
    assert_eq!(count(&store, "delivery_to"), 10_000);
    assert_eq!(count(&store, "queue_now"), 0);
    assert_eq!(store.sources().unwrap().len(), 1);
    let disorder = "SELECT count(*) FROM (SELECT id < lag(id) OVER (ORDER BY rowid) AS back FROM delivery_to) WHERE back";
    assert_eq!(number(&store, disorder), 0);
}

#[test]
fn no_room_is_told_before_anything_is_written() {
    let space = compact::Space {
        total: 1 << 60,
        free: 0,
    };
    let error = compact::check_room(Path::new("/tmp/x.db"), space).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no space to rewrite /tmp/x.db: it needs "),
        "{error}"
    );
}

#[test]
fn a_database_in_use_is_not_compacted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.db");
    drop(Store::open_writer(&path).unwrap());
    let mut holder = start_holder(&path);
    let error = compact(&path, Limits::WRITER).unwrap_err();
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
}

const PLACE: &str = "MAILLOG_TEST_COMPACT";
const WHAT: &str = "MAILLOG_TEST_COMPACT_WHAT";

/// Not a test: the process that the tests here kill.
#[test]
fn other_process() {
    let (Some(path), Ok(what)) = (std::env::var_os(PLACE), std::env::var(WHAT)) else {
        return;
    };
    let path = Path::new(&path);
    if what == "hold" {
        let _store = Store::open_writer(path).unwrap();
        fs::write(path.with_extension("held"), "").unwrap();
        std::thread::park();
    }
    compact(path, Limits::WRITER).unwrap();
}

fn start(path: &Path, what: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::tests::compact::other_process",
            "--test-threads=1",
        ])
        .env(PLACE, path)
        .env(WHAT, what)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn start_holder(path: &Path) -> Child {
    let child = start(path, "hold");
    let deadline = std::time::Instant::now() + Duration::from_mins(1);
    while !path.with_extension("held").exists() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

/// The story: power fails, or the process is killed, at any moment of a compaction. The name then stands for the old
/// file or the new one, whole, and the next start leaves no litter.
#[test]
fn a_killed_compaction_leaves_a_whole_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.db");
    let mut store = big(&path, 60_000);
    store.checkpoint().unwrap();
    drop(store);
    let begun = std::time::Instant::now();
    assert!(start(&path, "compact").wait().unwrap().success());
    let whole = begun.elapsed();
    let mut killed = 0;
    for number in 1..=12_u32 {
        let mut child = start(&path, "compact");
        std::thread::sleep(whole * number / 12);
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let store = Store::open_writer(&path).unwrap();
        assert_eq!(count(&store, "delivery_to"), 60_000, "kill {number}");
        assert_eq!(count(&store, "delivery_from"), 60_000, "kill {number}");
        drop(store);
        assert!(!path.with_extension("db.compact").exists());
        assert!(!path.with_extension("db.compact.wal").exists());
    }
    assert!(killed > 3, "{killed} kills came in time");
}
