use super::*;
use duckdb::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    (dir, path)
}

/// The text of an error with its hint, the directory of the test left out.
fn shown(error: &Error, dir: &TempDir) -> String {
    let text = error
        .to_string()
        .replace(&dir.path().display().to_string(), "DIR");
    match error.hint() {
        Some(hint) => format!("{text} | {hint}"),
        None => text,
    }
}

fn refusal(opened: Result<Store, Error>) -> Error {
    opened.err().expect("it opened")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn new_database_is_made_with_its_directories_for_owner_and_group() {
    let (dir, _) = place();
    let path = dir.path().join("a/b/maillog.db");
    let mut store = Store::open_writer(&path).unwrap();
    store
        .commit(batch(Changes {
            from_inserts: vec![message(1)],
            ..Changes::default()
        }))
        .unwrap();
    assert_eq!((mode(&dir.path().join("a/b")), mode(&path)), (0o750, 0o640));
    assert_eq!(mode(&dir.path().join("a/b/maillog.db.wal")), 0o640);
    drop(store);
    let left: Vec<_> = fs::read_dir(dir.path().join("a/b"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["maillog.db"]);
}

#[test]
fn what_was_stored_is_there_after_reopening_by_readers_and_writer() {
    let (_dir, path) = place();
    let mut store = Store::open_writer(&path).unwrap();
    store
        .commit(batch(Changes {
            from_inserts: vec![message(1)],
            ..Changes::default()
        }))
        .unwrap();
    drop(store);
    let (one, two) = (
        Store::open_reader(&path).unwrap(),
        Store::open_reader(&path).unwrap(),
    );
    assert_eq!(
        (count(&one, "delivery_from"), count(&two, "delivery_from")),
        (1, 1)
    );
    drop((one, two));
    assert_eq!(
        count(&Store::open_writer(&path).unwrap(), "delivery_from"),
        1
    );
}

#[test]
fn reader_creates_nothing() {
    let (dir, path) = place();
    let error = refusal(Store::open_reader(&path));
    insta::assert_snapshot!(shown(&error, &dir), @"no database at DIR/maillog.db | run `maillog ingest /var/log/mail.log*` first, or name the database with --db");
    let error = refusal(Store::open_reader(&dir.path().join("none/maillog.db")));
    assert!(matches!(error, Error::Missing { .. }));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn directory_in_place_of_the_database() {
    let (dir, path) = place();
    fs::create_dir(&path).unwrap();
    let errors = [
        refusal(Store::open_reader(&path)),
        refusal(Store::open_writer(&path)),
    ];
    assert_eq!(shown(&errors[0], &dir), shown(&errors[1], &dir));
    insta::assert_snapshot!(shown(&errors[0], &dir), @"DIR/maillog.db is a directory, not a database | name another file with --db");
}

#[test]
fn directory_that_cannot_be_made() {
    let (dir, path) = place();
    fs::write(&path, "").unwrap();
    let error = refusal(Store::open_writer(&path.join("sub/maillog.db")));
    insta::assert_snapshot!(shown(&error, &dir), @"cannot create directory DIR/maillog.db/sub: not a directory");
}

#[test]
fn file_of_another_kind() {
    let (dir, path) = place();
    for content in [
        "Nov 18 10:00:00 mx1 postfix/qmgr[1]: x\n"
            .repeat(500)
            .as_str(),
        "short",
        "",
    ] {
        fs::write(&path, content).unwrap();
        let errors = [
            refusal(Store::open_reader(&path)),
            refusal(Store::open_writer(&path)),
        ];
        assert_eq!(
            shown(&errors[0], &dir),
            "DIR/maillog.db is not a database of maillog | name another file with --db",
            "{content:.9}"
        );
        assert_eq!(
            shown(&errors[0], &dir),
            shown(&errors[1], &dir),
            "{content:.9}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn database_of_another_program() {
    for sql in [
        "CREATE TABLE t (x INTEGER)",
        "CREATE TABLE meta (key VARCHAR, value VARCHAR)",
        "CREATE TABLE meta (key INTEGER)",
        "CREATE VIEW v AS SELECT 1",
    ] {
        let (dir, path) = place();
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let errors = [
            refusal(Store::open_reader(&path)),
            refusal(Store::open_writer(&path)),
        ];
        assert_eq!(
            shown(&errors[0], &dir),
            "DIR/maillog.db is a DuckDB database, but not one of maillog | name another file with --db",
            "{sql}"
        );
        assert_eq!(shown(&errors[0], &dir), shown(&errors[1], &dir), "{sql}");
    }
}

#[test]
fn empty_duckdb_database_is_no_database_to_read_and_a_new_one_to_write() {
    let (_dir, path) = place();
    drop(Connection::open(&path).unwrap());
    assert!(matches!(
        refusal(Store::open_reader(&path)),
        Error::Missing { .. }
    ));
    assert_eq!(
        count(&Store::open_writer(&path).unwrap(), "delivery_from"),
        0
    );
}

#[test]
fn database_of_a_newer_maillog() {
    let (dir, path) = place();
    drop(Store::open_writer(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE meta SET value = '99' WHERE key = 'maillog_schema'")
        .unwrap();
    let errors = [
        refusal(Store::open_reader(&path)),
        refusal(Store::open_writer(&path)),
    ];
    assert_eq!(shown(&errors[0], &dir), shown(&errors[1], &dir));
    // Each migration makes it another number.
    let known = format!("knows {}", crate::store::migrate::KNOWN);
    let told = shown(&errors[0], &dir).replace(&known, "knows N");
    insta::assert_snapshot!(told, @"the database was made by a newer maillog: schema 99, this one knows N | install the newer maillog here");
}

#[test]
fn file_of_a_newer_duckdb() {
    let (dir, path) = place();
    drop(Store::open_writer(&path).unwrap());
    // The main header: 8 bytes of checksum, "DUCK", then the storage version.
    let mut bytes = fs::read(&path).unwrap();
    bytes[12..20].copy_from_slice(&9999_u64.to_le_bytes());
    let sum = bytes[8..4096].chunks(8).fold(5381, |sum, word| {
        sum ^ u64::from_le_bytes(word.try_into().unwrap()).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    });
    bytes[..8].copy_from_slice(&sum.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let error = refusal(Store::open_reader(&path));
    insta::assert_snapshot!(shown(&error, &dir), @"DIR/maillog.db was written by a newer DuckDB than the one in this maillog | install the newer maillog here");
}

#[test]
fn damaged_database() {
    let (dir, path) = place();
    let mut store = Store::open_writer(&path).unwrap();
    store
        .commit(batch(Changes {
            from_inserts: (0..50_000).map(message).collect(),
            ..Changes::default()
        }))
        .unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    let mut damaged = bytes.clone();
    for byte in damaged.iter_mut().skip(4096 * 3).step_by(512) {
        *byte ^= 0x55;
    }
    fs::write(&path, &damaged).unwrap();
    let error = Store::open_reader(&path)
        .and_then(|store| store.select("SELECT sum(hash(COLUMNS(*))) FROM delivery_from", &[]))
        .unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = Store::open_reader(&path)
        .and_then(|store| store.select("SELECT sum(hash(COLUMNS(*))) FROM delivery_from", &[]))
        .unwrap_err();
    assert!(
        matches!(error, Error::Corrupt { .. } | Error::Io { .. }),
        "{}",
        shown(&error, &dir)
    );
}

#[test]
fn damaged_wal() {
    let (_dir, path) = place();
    let mut store = Store::open_writer(&path).unwrap();
    store
        .commit(batch(Changes {
            from_inserts: (0..100).map(message).collect(),
            ..Changes::default()
        }))
        .unwrap();
    let wal = path.with_extension("db.wal");
    let mut bytes = fs::read(&wal).unwrap();
    drop(store);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(&wal, &bytes).unwrap();
    match Store::open_reader(&path) {
        Err(error) => assert!(matches!(error, Error::Corrupt { .. }), "{error}"),
        Ok(store) => panic!("{} rows", count(&store, "delivery_from")),
    }
}

#[test]
fn read_only_file_system_is_named() {
    let (dir, path) = place();
    drop(Store::open_writer(&path).unwrap());
    let Some(mount) = super::full::Mount::tmpfs("20m") else {
        return skip("needs root and mount");
    };
    let inside = mount.path().join("maillog.db");
    fs::copy(&path, &inside).unwrap();
    mount.read_only();
    let error = refusal(Store::open_writer(&inside));
    let text = shown(&error, &dir).replace(&mount.path().display().to_string(), "DIR");
    insta::assert_snapshot!(text, @"cannot write DIR/maillog.db: read-only file system");
    assert_eq!(
        count(&Store::open_reader(&inside).unwrap(), "delivery_from"),
        0
    );
}

#[test]
fn causes_are_told_from_the_texts_of_duckdb() {
    let sort = |statement: &str, text: &str| {
        let error = duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned()));
        Error::sort(Some(Path::new("/db")), statement, &error).to_string()
    };
    let texts = [
        sort(
            "",
            "IO Error: Could not set lock on file \"/db\": Conflicting lock is held in /usr/bin/maillog (PID 4711) by user root. See also",
        ),
        sort(
            "",
            "IO Error: Could not set lock on file \"/db\": Conflicting lock is held in /usr/bin/maillog (deleted) (PID 4711). See also",
        ),
        sort(
            "",
            "IO Error: Could not set lock on file \"/db\": Conflicting lock is held in PID 4711. See also",
        ),
        sort(
            "",
            "IO Error: Could not set lock on file \"/db\": Lock is already held in current process, likely another DuckDB instance.",
        ),
        sort("", "IO Error: Cannot open file \"/db\": Permission denied"),
        sort(
            "COMMIT",
            "TransactionContext Error: Failed to commit: Could not write file \"/db.wal\": No space left on device",
        ),
        sort("SELECT 1", "INTERRUPT Error: Interrupted!"),
        sort(
            "SELECT 1",
            "Out of Memory Error: failed to allocate data of size 1.0 KiB",
        ),
        sort(
            "SELECT x",
            "Binder Error: Referenced column \"x\" not found in FROM clause!\n\nLINE 1: SELECT x\n               ^",
        ),
        sort(
            "COMMIT",
            "FATAL Error: Failed: database has been invalidated because of a previous fatal error.\nmore",
        ),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    /db is in use by maillog (pid 4711)
    /db is in use by maillog (pid 4711)
    /db is in use by pid 4711
    /db is in use by another process
    cannot write /db: permission denied
    no space left for /db
    interrupted
    the query needs more memory than it may use
    Referenced column "x" not found in FROM clause!

    LINE 1: SELECT x
                   ^
    cannot use /db: Failed: database has been invalidated because of a previous fatal error
    "#);
}
