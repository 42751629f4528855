//! Logs of others under `../shared`, read in place: what is not understood, and where expectations agree.

#![expect(clippy::print_stderr, reason = "a test says what it found")]

use super::{event, header};
use crate::model::event::Event;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");

pub(super) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(SHARED).join(name);
    if path.exists() {
        return Some(path);
    }
    crate::skip::skip(&format!("no {}", path.display()));
    None
}

pub(super) fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

pub(super) fn read(path: &Path) -> String {
    let mut bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        bytes = plain;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Default)]
struct Count {
    postfix: usize,
    other: usize,
    foreign: usize,
    ignored: usize,
    ambiguous: usize,
    samples: BTreeMap<String, (usize, String)>,
}

fn count(text: &str, count: &mut Count) {
    for (ident, text) in text.lines().filter_map(header) {
        match event(ident, text) {
            Event::Foreign | Event::Neighbour(_) | Event::Loss { .. } => count.foreign += 1,
            Event::Other { text, .. } => {
                count.postfix += 1;
                count.other += 1;
                let seen = count
                    .samples
                    .entry(format!(
                        "{ident}: {}",
                        text.chars().take(40).collect::<String>()
                    ))
                    .or_insert_with(|| (0, text.chars().take(160).collect()));
                seen.0 += 1;
            }
            Event::Ignored => {
                count.postfix += 1;
                count.ignored += 1;
            }
            Event::Delivery(delivery) => {
                count.postfix += 1;
                count.ambiguous += usize::from(delivery.ambiguous);
            }
            _ => count.postfix += 1,
        }
    }
}

#[test]
fn logs_of_others_are_understood() {
    let Some(root) = shared("testlogs") else {
        return;
    };
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut total = Count::default();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_log = !["LICENSE", "COPYING", ".yaml", ".assert", ".metrics", ".md"]
            .iter()
            .any(|end| name.ends_with(end));
        if is_log {
            count(&read(&path), &mut total);
        }
    }
    for (template, (times, sample)) in &total.samples {
        eprintln!("{times:6}  {template}\n        {sample}");
    }
    eprintln!(
        "postfix {} other {} ignored {} foreign {}",
        total.postfix, total.other, total.ignored, total.foreign
    );
    assert!(total.postfix > 80_000);
    assert_eq!(total.ambiguous, 0);
    assert!(
        total.other * 500 < total.postfix,
        "more than 0.2 % not understood"
    );
}

#[test]
fn nothing_of_the_rig_is_unknown() {
    let Some(path) = shared("postfix-rig/example-run/mail.log") else {
        return;
    };
    let mut total = Count::default();
    count(&read(&path), &mut total);
    for (template, (times, sample)) in &total.samples {
        eprintln!("{times:6}  {template}\n        {sample}");
    }
    assert!(total.postfix > 2000);
    assert_eq!(total.other, 0);
    assert_eq!(total.ambiguous, 0);
}

/// The examples of the grammar itself, neighbours included.
#[test]
fn examples_of_the_grammar_are_understood() {
    let Some(path) = shared("postfix-log-grammar.md") else {
        return;
    };
    let text = read(&path);
    let mut in_log = false;
    let mut lines = 0;
    for line in text.lines() {
        if line.starts_with("```") {
            in_log = line == "```log";
        } else if in_log && !line.starts_with('#') {
            let (ident, text) = header(line).unwrap();
            lines += 1;
            let event = event(ident, text);
            let known = !matches!(event, Event::Other { .. } | Event::Foreign | Event::Ignored)
                || text.starts_with("addr ");
            assert!(known, "{line}: {event:?}");
        }
    }
    assert!(lines > 100);
    eprintln!("{lines} examples of the grammar");
}
