//! Skips: a test that cannot do its work here says so. In CI it fails instead, unless the list allows it.
//!
//! One list for the unit tests (`src/lib.rs`) and the tests of the program (`tests/it`).

use std::io::Write;

/// What may be skipped in CI: words of what the test says, and the reason.
const ALLOWED: &[(&str, &str)] = &[
    (
        "../shared",
        "logs of others lie beside the checkout, or not",
    ),
    ("root", "what only root can do, or only somebody else"),
    ("mount", "a small file system needs the right to mount one"),
    ("promtool", "Debian has it in the package of a whole server"),
    (
        "systemd-analyze",
        "older systemd does not rate a unit that is not installed",
    ),
    ("completion in", "zsh and fish are not on every machine"),
    ("neither mandoc nor man", "a bare machine has no manual"),
    ("driver", "a registry may be out of reach"),
    ("pyzor", "the registry of Python may be out of reach"),
];

/// Says what is not tested here, and why.
///
/// # Panics
/// In CI (the variable `CI` is set), when the list does not allow it.
pub(crate) fn skip(what: &str) {
    let reason = ALLOWED.iter().find(|(words, _)| what.contains(words));
    let reason = match reason {
        Some((_, reason)) => format!("; {reason}"),
        None => String::new(),
    };
    let is_allowed = !reason.is_empty() || std::env::var_os("CI").is_none();
    assert!(
        is_allowed,
        "skipped in CI, where it must run: {what} (scripts/setup --with-postfix installs what it needs)"
    );
    // Past the test harness, which swallows what passing tests print.
    let line = format!("    skipped: {what}{reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[test]
fn what_may_be_skipped_in_ci() {
    let mut list = String::from("    may be skipped in CI:\n");
    for (words, reason) in ALLOWED {
        assert!(!words.is_empty() && !reason.is_empty());
        list.push_str(&format!("        {words}: {reason}\n"));
    }
    let _ = std::io::stderr().write_all(list.as_bytes());
}
