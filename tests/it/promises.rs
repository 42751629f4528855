//! The table of promises names tests that exist.

use std::fs;

#[test]
fn every_promise_has_its_tests() {
    let table = fs::read_to_string("tests/promises.md").unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in rows.iter().skip(2) {
        let (_, tests) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        for test in tests.split(", ") {
            let (file, name) = test
                .trim_start_matches('`')
                .split_once('`')
                .unwrap_or_else(|| panic!("{test}"));
            let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
            let name = name.trim();
            let is_there = name.is_empty() || text.contains(&format!("fn {name}("));
            assert!(is_there, "{file} has no test {name}");
        }
    }
}
