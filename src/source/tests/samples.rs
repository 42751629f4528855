//! The logs of others in `../shared/testlogs`: read in place, never copied.

use super::options;
use crate::model::entry::Entry;
use crate::source::{Decoder, Input, collect};
use std::path::Path;

/// Files of that directory that are no logs, or logs with other lines between.
const MIXED: &[&str] = &[
    "whyscream",
    "fail2ban",
    "README.md",
    "LICENSE",
    "COPYING",
    ".assert",
    ".metrics",
];

/// Returns lines, entries and entries without a header.
fn read(input: &Input) -> (u64, u64, Vec<String>) {
    let options = options("UTC");
    let mut decoder = Decoder::new(&options, input.hints(&options), None);
    let mut headless = Vec::new();
    let mut sink = |entry: &Entry<'_>| {
        if entry.ident.is_empty() || entry.time.is_none() {
            headless.push(entry.raw.to_owned());
        }
    };
    for chunk in input.read_from(0).unwrap() {
        decoder.decode(&chunk.unwrap(), &mut sink);
    }
    decoder.finish(&mut sink);
    let counts = decoder.counts();
    (counts.lines, counts.entries, headless)
}

#[test]
#[expect(clippy::print_stdout, reason = "says what ran")]
fn logs_of_others_are_read() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/testlogs");
    if !samples.is_dir() {
        return crate::skip::skip(&format!("no {}", samples.display()));
    }
    let (inputs, skipped) = collect(&[samples.into()], &options("UTC")).unwrap();
    let (mut lines, mut files, mut unread) = (0, 0, 0);
    for input in &inputs {
        let name = input.path().to_string_lossy().into_owned();
        let (of_file, entries, headless) = read(input);
        assert!(entries <= of_file, "{name}");
        files += 1;
        lines += of_file;
        if !headless.is_empty() {
            println!(
                "{name}: {} of {of_file} lines without header",
                headless.len()
            );
            headless
                .iter()
                .take(5)
                .for_each(|line| println!("    {line}"));
        }
        if !MIXED.iter().any(|part| name.contains(part)) {
            unread += headless.len();
        }
    }
    println!(
        "{files} files, {lines} lines, {unread} without header; {} files skipped",
        skipped.len()
    );
    // 1,270 lines of a webmail's own log stand in each of two files; two lines were cut at the beginning.
    assert!(
        files >= 70 && lines > 100_000 && unread <= 2542,
        "{unread} unread"
    );
}
