//! Root writes the database of another user so that the user can go on with it.

use crate::program::Place;
use crate::service::Service;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

const NOBODY: u32 = 65534;

#[test]
fn what_root_writes_belongs_to_the_owner_of_the_directory() {
    let place = Place::new();
    let dir = place.path("state");
    fs::create_dir(&dir).unwrap();
    if chown(&dir, Some(NOBODY), Some(NOBODY)).is_err() {
        crate::skip::skip("root writes another user's database (not root)");
        return;
    }
    let database = dir.join("maillog.duckdb");
    // Only root may read this one.
    let log = place.path("mail.log");
    fs::copy("testlogs/demo/mail.log", &log).unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();
    let db = database.to_str().unwrap();
    place.succeed(&["--db", db, "ingest", log.to_str().unwrap()]);
    place.succeed(&["--db", db, "ingest", "testlogs/demo"]);
    let files: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert!(!files.is_empty());
    for file in files {
        let owner = file.metadata().unwrap();
        assert_eq!((owner.uid(), owner.gid()), (NOBODY, NOBODY), "{file:?}");
    }
    // A file of root in a directory of another is not written: whoever owns the directory can put links beside it.
    fs::remove_file(&database).unwrap();
    place.succeed(&["ingest", "testlogs/demo"]);
    fs::copy(place.path("maillog.duckdb"), &database).unwrap();
    let refused = place.run(&["--db", db, "ingest", "testlogs/demo"]);
    let said = "it belongs to root, but the directory belongs to nobody";
    assert!(
        refused.stderr.contains(said) && refused.stderr.contains("chown nobody /"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::metadata(&database).unwrap().uid(), 0);
    chown(&database, Some(NOBODY), Some(NOBODY)).unwrap();
    place.succeed(&["--db", db, "ingest", "testlogs/demo"]);
}

#[test]
fn a_service_of_root_answers_from_the_directory_of_another() {
    let place = Place::new();
    let dir = place.path("state");
    fs::create_dir(&dir).unwrap();
    if chown(&dir, Some(NOBODY), Some(NOBODY)).is_err() {
        return crate::skip::skip("root serves another user's database (not root)");
    }
    let db = dir.join("maillog.duckdb").display().to_string();
    let args = ["--follow", "testlogs/demo/mail.log"];
    // Twice: what the first one leaves belongs to the other, too.
    for _ in 0..2 {
        let mut service = Service::start_with(&place, &["--db", &db], &args);
        service.until("SELECT (sum(lines) > 400)::BIGINT FROM coverage", 1);
        assert!(dir.join("maillog.duckdb.sock/.s.PGSQL.5432").exists());
    }
}

#[test]
fn who_may_not_read_a_database_is_told_so() {
    let place = Place::new();
    place.succeed(&["ingest", "-q", "testlogs/demo"]);
    let program = place.path("maillog-of-all");
    fs::copy(env!("CARGO_BIN_EXE_maillog"), &program).unwrap();
    for path in [place.path(""), program.clone()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(program);
    command.args(["find", "--all", "-n", "1"]).current_dir("/");
    command.env("MAILLOG_DB", place.path("maillog.duckdb"));
    let Ok(refused) = command.uid(NOBODY).gid(NOBODY).output() else {
        return crate::skip::skip("another user's find (not root)");
    };
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("cannot read /") && said.contains("member of the file's group"),
        "{said}"
    );
}
