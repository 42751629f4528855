//! The one integration binary: each further one would link DuckDB again.
//!
//! Every test runs the built program on a database of its own.
#![cfg(feature = "store")]

#[cfg(test)]
mod asking;
#[cfg(test)]
mod canned;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod complete;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod expected;
#[cfg(test)]
mod first_words;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod generator;
#[cfg(test)]
mod ground_truth;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod live_journal;
#[cfg(test)]
mod man;
#[cfg(test)]
mod notice;
#[cfg(test)]
mod notify;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod owner;
#[cfg(test)]
mod package;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod program;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod prune;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod queue_rows;
#[cfg(test)]
mod random;
#[cfg(test)]
mod relief;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod scope;
#[cfg(test)]
mod server;
#[cfg(test)]
mod service;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod signature;
#[cfg(test)]
#[path = "../skip/mod.rs"]
mod skip;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod summary;
mod tables;
#[cfg(test)]
mod turned;
#[cfg(test)]
mod twice;
#[cfg(test)]
mod typed;

#[test]
fn every_file_beside_this_one_is_listed() {
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let is_listed = listed.lines().any(|line| line == format!("mod {stem};"));
        assert!(
            stem == "main" || is_listed,
            "tests/it/main.rs does not list {stem}"
        );
    }
}
