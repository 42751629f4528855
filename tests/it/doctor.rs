//! `maillog doctor`: a log that is damaged in any of many ways is noticed, a good one is not.

#![expect(
    clippy::string_slice,
    reason = "the lines are ASCII, and the test's own"
)]

use crate::program::{Place, shared};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;

const NOW: [&str; 2] = ["--now", "2026-11-22T00:00:00Z"];

/// Returns the demo log in one piece.
fn demo() -> Vec<String> {
    let mut log = String::new();
    let packed = fs::File::open("testlogs/demo/mail.log.2.gz").unwrap();
    let mut unpacked = flate2::read::GzDecoder::new(packed);
    unpacked.read_to_string(&mut log).unwrap();
    for name in ["mail.log.1", "mail.log"] {
        log += &fs::read_to_string(format!("testlogs/demo/{name}")).unwrap();
    }
    log.lines().map(str::to_owned).collect()
}

/// Returns the names of what is found in the lines, by `doctor FILE`, by `ingest` and by `doctor` alone.
fn findings(name: &str, lines: &[String]) -> [BTreeSet<String>; 3] {
    let place = Place::filled(&["-"]);
    let file = place.path("mail.log");
    fs::write(&file, lines.concat()).unwrap();
    let file = file.to_str().unwrap();
    let run = |args: &[&str]| {
        let outcome = place.run(&[args, &NOW].concat());
        assert!(outcome.code != Some(2), "{name}: {}", outcome.stderr);
        (outcome.code, outcome.stdout)
    };
    let names = |text: &str| -> BTreeSet<String> {
        let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
        rows.map(|row: Value| row["check"].as_str().unwrap().to_owned())
            .collect()
    };
    let (code, told) = run(&["doctor", "-o", "json", file]);
    let of_file = names(&told);
    assert_eq!(code, Some(i32::from(!of_file.is_empty())), "{name}");
    let (_, told) = run(&["ingest", "--json", file]);
    let summary: Value = serde_json::from_str(&told).unwrap();
    let found = summary["findings"].as_array().unwrap();
    let of_import = found
        .iter()
        .map(|f| f["check"].as_str().unwrap().to_owned());
    let of_import = of_import.collect();
    let (code, told) = run(&["doctor", "-o", "json"]);
    let stored = names(&told);
    assert_eq!(code, Some(i32::from(!stored.is_empty())), "{name}");
    [of_file, of_import, stored]
}

fn with_ends(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Returns the log with each line as `change` makes it of its number, stamp, host and rest.
fn changed(change: impl Fn(usize, &str, &str, &str) -> Option<String>) -> Vec<String> {
    let lines = demo();
    let all = lines.iter().enumerate().filter_map(|(number, line)| {
        let (stamp, rest) = line.split_once(' ').unwrap();
        let (host, rest) = rest.split_once(' ').unwrap();
        change(number, stamp, host, rest)
    });
    with_ends(all.collect())
}

#[expect(clippy::unnecessary_wraps, reason = "one of the changes")]
fn same(stamp: &str, host: &str, rest: &str) -> Option<String> {
    Some(format!("{stamp} {host} {rest}"))
}

/// Returns the stamp that many seconds later.
fn later(stamp: &str, seconds: i64) -> String {
    let time = chrono::DateTime::parse_from_rfc3339(stamp).unwrap();
    let time = time + chrono::TimeDelta::seconds(seconds);
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, false)
}

/// Expects that one of these is found in the file and in the import.
fn expect(name: &str, lines: &[String], any_of: &[&str]) {
    let [file, import, stored] = findings(name, lines);
    for found in [&file, &import] {
        let is_found = any_of.iter().any(|check| found.contains(*check));
        assert!(is_found, "{name}: found {found:?}, not one of {any_of:?}");
    }
    assert!(stored.is_subset(&file), "{name}: {stored:?}, {file:?}");
}

#[test]
fn a_good_log_is_not_ill() {
    let good = with_ends(demo());
    assert_eq!(findings("demo", &good), [const { BTreeSet::new() }; 3]);
    let place = Place::new();
    let told = place.succeed(&[&["doctor", "testlogs/demo"][..], &NOW].concat());
    assert!(
        told.starts_with("nothing looks wrong: 2,300 lines, "),
        "{told}"
    );
    let told = place.succeed(&[&["ingest", "testlogs/demo"][..], &NOW].concat());
    assert!(!told.contains("looks wrong"), "{told}");
    let told = place.succeed(&[&["doctor"][..], &NOW].concat());
    assert!(told.starts_with("nothing looks wrong: "), "{told}");
    for format in fs::read_dir("testlogs/formats").unwrap() {
        let path = format.unwrap().path();
        let outcome = place.run(&[&["doctor", path.to_str().unwrap()][..], &NOW].concat());
        assert_eq!(
            outcome.code,
            Some(0),
            "{}: {}",
            path.display(),
            outcome.stdout
        );
    }
}

#[test]
fn logs_of_others_are_not_ill() {
    for (name, file) in [
        ("postfix-rig/example-run", "mail.log"),
        ("testlogs/pixelpark", "mail.log.gz"),
        ("testlogs/lightmeter/logs_sample", "mail.log"),
        ("testlogs/lightmeter/logs_sample", "mail.log.1"),
    ] {
        let Some(directory) = shared(name, "logs of others are not ill") else {
            continue;
        };
        let place = Place::new();
        let path = directory.join(file);
        let outcome = place.run(&["doctor", path.to_str().unwrap()]);
        assert_eq!(outcome.code, Some(0), "{name}/{file}: {}", outcome.stdout);
    }
}

#[test]
fn a_host_or_time_that_is_none_is_noticed() {
    for word in ["INFO", "mail.info:", "Nov", "[812]", "<22>"] {
        let log = changed(|_, stamp, _, rest| Some(format!("{stamp} {word} {rest}")));
        let any = [
            "odd-host", "no-host", "no-time", "tag", "no-line", "unknown",
        ];
        expect(word, &log, &any);
    }
    let log = changed(|_, _, _, rest| Some(rest.to_owned()));
    expect("no stamp and no host", &log, &["no-time", "no-line"]);
    let log = changed(|n, stamp, host, rest| match n % 40 {
        0 => Some(format!("{stamp} {rest}")),
        _ => same(stamp, host, rest),
    });
    expect("some without host", &log, &["no-host", "odd-host"]);
}

#[test]
fn wrong_times_are_noticed() {
    let log = changed(|n, stamp, host, rest| match n {
        900..1100 => same(&stamp.replace("2026", "2023"), host, rest),
        _ => same(stamp, host, rest),
    });
    expect("another year in the middle", &log, &["year-jump"]);
    let log = changed(|n, stamp, host, rest| match n {
        900.. => same(&stamp.replace("2026", "2027"), host, rest),
        _ => same(stamp, host, rest),
    });
    expect("a year later from the middle on", &log, &["year-jump"]);
    let log = changed(|_, stamp, host, rest| same(&stamp.replace("2026", "2028"), host, rest));
    expect("in the future", &log, &["future"]);
    for hours in [-2, 1, 3] {
        let log = changed(|n, stamp, host, rest| match n {
            1150.. => same(&later(stamp, hours * 3600), host, rest),
            _ => same(stamp, host, rest),
        });
        expect("another zone from the middle on", &log, &["delay"]);
    }
    // In a log of minutes lines of one second may stand anywhere.
    let slow = |stamp: &str| {
        let time = chrono::DateTime::parse_from_rfc3339(stamp).unwrap();
        let begin = chrono::DateTime::parse_from_rfc3339("2026-11-21T03:21:35Z").unwrap();
        later(stamp, (time - begin).num_seconds() * 60)
    };
    let mut log = changed(|_, stamp, host, rest| same(&slow(stamp), host, rest));
    let half = log.len() / 2;
    log.rotate_left(half);
    let (a, b) = log.split_at(half);
    let both: Vec<String> = a
        .iter()
        .zip(b)
        .flat_map(|(a, b)| [a.clone(), b.clone()])
        .collect();
    expect("in another order", &both, &["order"]);
}

#[test]
fn missing_lines_are_noticed() {
    let log = changed(|_, stamp, host, rest| {
        let is_left_out = rest.contains("postfix/qmgr") && rest.ends_with(": removed");
        (!is_left_out).then(|| format!("{stamp} {host} {rest}"))
    });
    expect("no removed", &log, &["done", "open"]);
    let log = changed(|n, stamp, host, rest| match n {
        0..1200 if rest.ends_with(": removed") || rest.contains("status=") => None,
        2200.. => same(&later(stamp, 86_400 * 6), host, rest),
        _ => same(stamp, host, rest),
    });
    expect("no ends, and a week", &log, &["open"]);
    let log = changed(|_, stamp, host, rest| {
        let (tag, text) = rest.split_once(": ").unwrap();
        let is_rare = tag.starts_with("postfix/cleanup");
        // Each line of cleanup about another message.
        let text = match text.split_once(": ") {
            Some((id, text)) if is_rare => {
                format!("{}z{text}", &id[..id.len() - 2]).replacen('z', "Z1: ", 1)
            }
            _ => text.to_owned(),
        };
        same(stamp, host, &format!("{tag}: {text}"))
    });
    expect(
        "ids that are changed",
        &log,
        &["stray", "unknown", "done", "open"],
    );
}

#[test]
fn what_is_there_twice_is_noticed() {
    // The same by another relay, whose clock differs by some microseconds and which cuts what is long.
    let twice = |cut: usize, shift: &str| {
        let lines = demo();
        let all = lines.iter().enumerate().flat_map(|(n, line)| {
            let (stamp, rest) = line.split_once(' ').unwrap();
            let cut: String = rest.chars().take(cut).collect();
            let other = format!("{}{shift} {cut}", &stamp[..19]);
            let is_said = (400..1400).contains(&n);
            [Some(line.clone()), is_said.then_some(other)]
                .into_iter()
                .flatten()
        });
        with_ends(all.collect())
    };
    expect(
        "cut",
        &twice(220, "+00:00"),
        &["twice", "message-twice", "refused-twice"],
    );
    let renamed: Vec<String> = demo()
        .iter()
        .flat_map(|line| [line.clone(), line.replacen(" mx1 ", " mx1.example.com ", 1)])
        .collect();
    expect("two names", &with_ends(renamed), &["message-twice"]);
}

#[test]
fn lines_without_their_tag_are_noticed() {
    let log = changed(|_, stamp, host, rest| {
        let (_, text) = rest.split_once(": ").unwrap();
        same(stamp, host, text)
    });
    expect("no tag", &log, &["tag", "no-line"]);
    let log = changed(|_, stamp, host, rest| {
        let (_, text) = rest.split_once(": ").unwrap();
        same(stamp, host, &format!("mta[77]: {text}"))
    });
    expect("another tag", &log, &["tag", "no-line"]);
    let log = changed(|n, stamp, host, rest| match n % 20 {
        3 => same(stamp, host, "postfix/qmgr[814]: hat nichts zu sagen"),
        _ => same(stamp, host, rest),
    });
    expect("an unknown text", &log, &["unknown"]);
    let foreign = vec!["Nov 21 03:21:40 mx1 sshd[1]: Accepted\n".to_owned(); 9];
    let [file, ..] = findings("foreign", &foreign);
    assert!(file.contains("no-line"), "{file:?}");
}

#[test]
fn a_filter_that_is_not_recognised_is_noticed() {
    // The way back from the filter: no answer of the second hop is to be had.
    let log = changed(|_, stamp, host, rest| {
        let rest = match rest.split_once("queued as ") {
            Some((before, _)) => format!("{before}accepted)"),
            None => rest.to_owned(),
        };
        same(stamp, host, &rest)
    });
    let [file, import, _] = findings("filter", &log);
    assert_eq!(file, import);
}

#[test]
fn what_looks_wrong_is_said_in_one_line_with_a_command_that_works() {
    let place = Place::new();
    let file = place.path("mail.log");
    let log = changed(|_, stamp, host, rest| {
        (!rest.ends_with(": removed")).then(|| format!("{stamp} {host} {rest}"))
    });
    fs::write(&file, log.concat()).unwrap();
    let file = file.to_str().unwrap();
    let told = place.succeed(&[&["ingest", file][..], &NOW].concat());
    let lines: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("looks wrong"))
        .collect();
    assert!(!lines.is_empty(), "{told}");
    for line in lines {
        let (_, command) = line.rsplit_once(": maillog ").unwrap();
        let words: Vec<&str> = command.split(' ').chain(NOW).collect();
        let outcome = place.run(&words);
        assert_eq!(outcome.code, Some(1), "{line}: {}", outcome.stderr);
        assert!(outcome.stdout.lines().count() > 3, "{line}");
    }
    let outcome = place.run(&[&["doctor", file][..], &NOW].concat());
    assert_eq!(outcome.code, Some(1));
    for line in outcome.stdout.lines() {
        assert!(line.ends_with(file), "{line}");
    }
    assert_eq!(place.run(&["doctor", "/nowhere/mail.log"]).code, Some(2));
    assert_eq!(place.run(&["doctor", "--show", "nothing"]).code, Some(2));
    let left = fs::read_dir(std::env::temp_dir()).unwrap();
    let mine = format!("maillog-{}-", std::process::id());
    assert!(
        !left
            .flatten()
            .any(|e| e.file_name().to_string_lossy().starts_with(&mine))
    );
}
