//! Prefix: what tools put before the lines that they pass on, and what collectors write where the host belongs.
//!
//! grep and zgrep (`FILE:`, `FILE-`, `LINE:`), stern, kubectl, docker service and compose, Loki's labels: all of them leave
//! the line as it was, so its header is found by what it is and not by what stands before it. Severities, facilities, pids and
//! marks of tools are no hosts: such a line names none.
//!
//! Promises: a header is looked for before the first `]: ` only. What follows that was written by the program, and may hold
//! what a stranger sent.
//!
//! Limits: a host that is called like a severity (`info`, `notice`) is taken for one.

use super::stamp;
use memchr::memmem;
use std::net::IpAddr;

/// How far into a line its header is looked for: longer than names of files and labels are.
const REACH: usize = 1024;

/// Returns each rest of the line that may begin with a header, the longest first; not the line itself.
pub(super) fn rests(line: &str) -> impl Iterator<Item = &str> {
    let bytes = line.as_bytes();
    let end = memmem::find(bytes, b"]: ").unwrap_or(bytes.len());
    let near = bytes.get(..end.min(REACH)).unwrap_or(bytes);
    near.windows(2).enumerate().filter_map(|(at, pair)| {
        let [before, first] = pair else { return None };
        let is_border = before.is_ascii() && !before.is_ascii_alphanumeric();
        let is_border = is_border && !(*before == b' ' && is_date(near, at));
        let is_first = first.is_ascii_digit() || first.is_ascii_uppercase() || *first == b'<';
        let rest = (is_border && is_first).then(|| line.get(at + 1..))??;
        (*first == b'<' || stamp::read(rest).is_some()).then_some(rest)
    })
}

/// Tells whether a year stands before the byte at `at`: `2013 Feb 29 ...` is a damaged stamp, not one behind a prefix. grep puts
/// no blank behind the number of a line.
fn is_date(line: &[u8], at: usize) -> bool {
    line.get(..at)
        .is_some_and(|year| year.len() == 4 && year.iter().all(u8::is_ascii_digit))
}

/// Severities by their lengths, as syslog, Windows and logging libraries write them.
const LEVELS: [&[&str]; 8] = [
    &[],
    &[],
    &[],
    &["err"],
    &["info", "warn", "crit", "none"],
    &[
        "debug", "error", "alert", "emerg", "panic", "fatal", "trace",
    ],
    &["notice"],
    &["warning"],
];
const LONG_LEVELS: [&str; 4] = ["critical", "emergency", "verbose", "informational"];

const FACILITIES: [&str; 17] = [
    "mail", "daemon", "syslog", "user", "kern", "auth", "authpriv", "lpr", "news", "uucp", "cron",
    "local0", "local1", "local2", "local3", "local4", "local5",
];

/// Tells whether a word is a severity, alone or with its facility: `WARNING`, `mail.info`, `mail:info`, `[Notice]`.
pub(super) fn is_level(word: &str) -> bool {
    let is_border = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_alphanumeric());
    let bytes = word.as_bytes();
    let word = if is_border(bytes.first()) || is_border(bytes.last()) {
        word.trim_matches(['[', ']', '(', ')', '<', '>', ':', ','])
    } else {
        word
    };
    // Every line asks this of its host: no searcher.
    let between = word.bytes().position(|byte| matches!(byte, b'.' | b':'));
    match between.map(|at| (word.get(..at), word.get(at + 1..))) {
        None => is_severity(word),
        Some((facility, severity)) => {
            severity.is_some_and(is_severity) && facility.is_some_and(is_facility)
        }
    }
}

fn is_severity(word: &str) -> bool {
    let known = LEVELS.get(word.len()).copied().unwrap_or(&LONG_LEVELS);
    known.iter().any(|level| level.eq_ignore_ascii_case(word))
}

/// Tells whether a word is a facility of syslog.
pub(super) fn is_facility(word: &str) -> bool {
    let known = FACILITIES
        .iter()
        .any(|name| name.eq_ignore_ascii_case(word));
    known || matches!(word, "local6" | "local7" | "ftp" | "ntp")
}

/// Tells whether a word can be the name or address of a host.
#[inline]
pub(super) fn is_host(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let mut is_plain = !word.is_empty();
    let mut has_letter = false;
    for byte in word.bytes() {
        is_plain &= plain(byte);
        has_letter |= byte.is_ascii_alphabetic();
    }
    if !is_plain || !has_letter {
        return is_odd_host(word);
    }
    !is_level(word)
}

/// Chained names (`mail/loghost`, `source@mail`), addresses, names in other scripts.
#[cold]
fn is_odd_host(word: &str) -> bool {
    /// Digits of a process id.
    const PID: usize = 7;
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.len() > PID;
    }
    if word.contains(':') {
        return word.parse::<IpAddr>().is_ok();
    }
    let allowed =
        |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '/' | '@' | '%' | '+' | '~');
    let named = word.chars().any(char::is_alphanumeric) && word.chars().all(allowed);
    named && !word.starts_with(['-', '+', '%']) && !is_level(word)
}

/// Takes colours and other sequences of a terminal out of a line; nothing that Postfix writes has any.
pub(super) fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, sequence)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = match sequence.strip_prefix('[') {
            None => sequence,
            Some(inside) => {
                let end = inside
                    .bytes()
                    .position(|byte| (b'@'..=b'~').contains(&byte));
                end.and_then(|end| inside.get(end + 1..)).unwrap_or("")
            }
        };
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_pids_and_marks_are_no_hosts() {
        let hosts = [
            "mx1",
            "mail",
            "mail.example.com",
            "192.0.2.7",
            "2001:db8::7",
            "mail/loghost",
            "s_net@mx1",
            "mäil",
            "0123456789ab",
            "123456789012",
            "localhost",
            "mx-info",
        ];
        for word in hosts {
            assert!(is_host(word), "{word}");
        }
        let others = [
            "",
            "-",
            "INFO",
            "warning",
            "Err",
            "mail.info",
            "mail:info",
            "Mail.Notice",
            "[INFO]",
            "<info>",
            "4711",
            "#38(normal)",
            "{app=\"x\"}",
            "|",
            "10:20:11",
            "local7.debug",
            "INFO:",
        ];
        for word in others {
            assert!(!is_host(word), "{word}");
        }
    }

    #[test]
    fn a_number_of_four_digits_is_a_line_s_or_a_year() {
        let rest = |line: &str| rests(line).next().map(str::to_owned);
        let stamped = "Nov 20 00:02:51 mx1 postfix/qmgr[1]: 4A: removed";
        for before in [
            "1000:",
            "9999:",
            "1000-",
            "mail.log:1000:",
            "mail.log-2026-",
        ] {
            assert_eq!(
                rest(&format!("{before}{stamped}")),
                Some(stamped.to_owned()),
                "{before}"
            );
        }
        let dated = "2026-11-20T00:02:51+00:00 mx1 postfix/qmgr[1]: 4A: removed";
        assert_eq!(rest(&format!("1000:{dated}")), Some(dated.to_owned()));
        assert_eq!(rest(&format!("2013 {stamped}")), None);
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(
            without_colours("\u{1b}[36mmail-1  |\u{1b}[0m x\u{1b}[K"),
            "mail-1  | x"
        );
        assert_eq!(without_colours("a\u{1b}"), "a");
        assert_eq!(without_colours("a\u{1b}[1;3"), "a");
    }
}
