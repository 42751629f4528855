//! Journal files, made by systemd-journal-remote from our own records, tell the same as the records themselves.

use crate::program::{Place, say};
use crate::tables::Tables;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

const REMOTE: &str = "/lib/systemd/systemd-journal-remote";
const RECORDS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/testlogs/formats/journal.export"
);

#[test]
fn journal_file_tells_what_its_records_tell() {
    if !Path::new(REMOTE).exists() {
        say("systemd-journal-remote is not installed: journal files are not tested");
        return;
    }
    let (journal, records) = (Place::new(), Place::new());
    let file = journal.path("system.journal");
    make(&file);
    journal.succeed(&["ingest", file.to_str().unwrap()]);
    records.succeed(&["ingest", RECORDS]);
    let read = Tables::of(&journal);
    assert!(read.count() > 0);
    read.expect_same(&Tables::of(&records), "from a journal file");
    journal.succeed(&["ingest", file.to_str().unwrap()]);
    Tables::of(&journal).expect_same(&read, "from a journal file read again");
}

#[test]
fn damaged_journal_file_is_named() {
    let place = Place::new();
    let file = place.path("cut.journal");
    fs::write(&file, b"LPKSHHRH and nothing more").unwrap();
    let outcome = place.run(&["ingest", file.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("cut.journal is damaged"),
        "{}",
        outcome.stderr
    );
}

fn make(file: &Path) {
    let status = Command::new(REMOTE)
        .arg(format!("--output={}", file.display()))
        .arg("-")
        .stdin(File::open(RECORDS).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}
