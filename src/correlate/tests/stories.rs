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
