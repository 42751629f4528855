//! Every file of `testlogs/stories` and the rows that it becomes.

use super::reader::Reader;
use super::tables::Tables;
use crate::correlate::{Correlator, Settings};
use crate::parse::parse;

pub(super) fn tables_of(log: &str, year: i32) -> Tables {
    let mut correlator = Correlator::new(Settings::default());
    let mut reader = Reader::new(year);
    for entry in log.lines().filter_map(|line| reader.entry(line)) {
        correlator.feed(&entry, &parse(&entry));
    }
    let mut tables = Tables::default();
    tables.apply(correlator.drain());
    tables
}

#[test]
fn stories_become_rows() {
    insta::glob!("../../../testlogs/stories", "*.log", |path| {
        let log = std::fs::read_to_string(path).unwrap();
        insta::assert_snapshot!(tables_of(&log, 2026).show());
    });
}

#[test]
fn copies_that_a_notice_stands_for_are_counted_once() {
    let lines = [
        "Mar  4 10:20:11 mail postfix/smtpd[11]: connect from unknown[203.0.113.9]",
        "Mar  4 10:20:11 mail postfix/smtpd[11]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <b@example.com>: Relay access denied; from=<a@example.net> to=<b@example.com> proto=SMTP helo=<x>",
        "Mar  4 10:20:11 mail postfix/smtpd[11]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
        "Mar  4 10:20:11 mail postfix/smtpd[11]: warning: hostname x.example.net does not resolve to address 203.0.113.9",
    ];
    let mut correlator = Correlator::new(Settings::default());
    let mut reader = Reader::new(2026);
    for line in lines {
        // The record itself, and a notice of three further copies.
        for repeated in [0, 3] {
            let mut entry = reader.entry(line).unwrap();
            entry.repeated = repeated;
            correlator.feed(&entry, &parse(&entry));
        }
    }
    let changes = correlator.drain();
    let counts = [
        changes.noqueues.iter().map(|row| row.count).sum::<i32>(),
        changes.auths.iter().map(|row| row.count).sum(),
    ];
    assert_eq!(counts, [4, 4]);
    let warned = changes
        .events
        .iter()
        .find(|row| row.level == "warning")
        .unwrap();
    assert_eq!(warned.count, 4);
}
