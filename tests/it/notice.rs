//! The program's own messages: with a priority where stderr is the journal, with its name elsewhere, never read back.

use crate::program::Place;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;

/// Runs with stderr connected to a file which `JOURNAL_STREAM` names, or another, and returns what was written.
fn said(place: &Place, is_journal: bool) -> String {
    let path = place.path("stderr");
    let file = File::create(&path).unwrap();
    let meta = file.metadata().unwrap();
    let inode = meta.ino() + u64::from(!is_journal);
    place
        .command(&["ingest", "/nowhere/mail.log"])
        .env("JOURNAL_STREAM", format!("{}:{inode}", meta.dev()))
        .stderr(file)
        .status()
        .unwrap();
    fs::read_to_string(path).unwrap()
}

#[test]
fn lines_begin_with_a_priority_where_stderr_is_the_journal() {
    let place = Place::new();
    let text = said(&place, true);
    assert!(
        text.starts_with("<3>cannot read /nowhere/mail.log"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.starts_with('<')), "{text}");
}

#[test]
fn lines_begin_with_the_name_elsewhere() {
    let place = Place::new();
    let text = said(&place, false);
    assert!(
        text.starts_with("maillog: cannot read /nowhere/mail.log"),
        "{text}"
    );
    assert!(!text.contains('<'), "{text}");
}

#[test]
fn own_messages_are_never_read_back() {
    let place = Place::new();
    let line = "postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.1.1 no; from=<> to=<a@example.com>";
    let log = place.path("mail.log");
    let mut file = File::create(&log).unwrap();
    for tag in [
        "maillog[123]:",
        "maillog:",
        "maillog[123]: cannot understand",
    ] {
        writeln!(file, "2026-11-21T10:00:00+00:00 mx1 {tag} {line}").unwrap();
    }
    writeln!(file, "2026-11-21T10:00:01+00:00 mx1 {line}").unwrap();
    drop(file);
    let summary = place.succeed(&["ingest", "--json", log.to_str().unwrap()]);
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["foreign"], 3, "{summary}");
    assert_eq!(summary["refusals"], 1, "{summary}");
}
