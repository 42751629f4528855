//! Logs as other tools hand them on: the same mail whatever stands before its lines, and a word about what cannot be read.

use crate::program::{Place, shared};
use crate::tables::Tables;
use serde_json::Value;
use std::fs;
use std::io::Write;

/// Prefixes of tools that do not change the line.
const BEFORE: [&str; 8] = [
    "/var/log/mail.log:",
    "/var/log/mail.log.2.gz-12-",
    "mail-1  | ",
    "mail.1.w5zkjb8o7d2ytx1j4v9f0a3qe@node-7    | ",
    "[pod/mail-0/postfix] ",
    "mail-0 postfix ",
    "\u{1b}[36mmail-1  |\u{1b}[0m ",
    "(standard input):",
];

#[test]
fn shuffled_prefixes_give_equal_tables() {
    let log = ["testlogs/demo/mail.log.1", "testlogs/demo/mail.log"]
        .map(|path| fs::read_to_string(path).unwrap())
        .concat();
    let ingested = |log: &str| {
        let place = Place::new();
        let path = place.path("mail.log");
        fs::write(&path, log).unwrap();
        place.run(&["ingest", "-q", "--year", "2026", path.to_str().unwrap()]);
        Tables::of(&place)
    };
    let plain = ingested(&log);
    assert!(plain.count() > 500);
    for shift in [0, 3] {
        let mut mixed = String::new();
        for (no, line) in log.lines().enumerate() {
            mixed += &format!("{}{line}\n", BEFORE[(no * 5 + shift) % BEFORE.len()]);
        }
        plain.expect_same(&ingested(&mixed), "with prefixes");
    }
    for before in BEFORE {
        let prefixed: String = log
            .lines()
            .map(|line| format!("{before}{line}\n"))
            .collect();
        plain.expect_same(&ingested(&prefixed), before);
    }
}

#[test]
fn lines_without_a_time_are_told_and_not_stored() {
    let place = Place::new();
    let path = place.path("mail.log");
    let log = "Nov 20 10:00:00 mx postfix/smtpd[7]: connect from unknown[192.0.2.1]\n\
               postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 no; from=<> to=<lost@example.com> proto=ESMTP helo=<a>\n\
               ov 20 10:00:01 mx postfix/smtpd[7]: disconnect from unknown[192.0.2.1]\n";
    fs::write(&path, log).unwrap();
    let file = path.to_str().unwrap();
    let run = place.run(&["ingest", file]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("2 lines have no time"), "{run:?}");
    assert!(run.stdout.contains("lost@example.com"), "{run:?}");
    assert!(place.select("SELECT * FROM noqueue").is_empty());
    let status = place.run(&["status"]);
    assert!(status.stdout.contains("without a time"), "{status:?}");
    let json: Value = serde_json::from_str(&place.run(&["status", "--json"]).stdout).unwrap();
    assert_eq!(json["undated"][0]["lines"], 2, "{json}");
    let erased = place.run(&["prune", "--address", "lost@example.com"]);
    assert!(
        place
            .select("SELECT * FROM undated WHERE sample LIKE '%lost@example%'")
            .is_empty(),
        "{erased:?}"
    );
    let parse = place.run(&["parse", file]);
    assert!(parse.stderr.contains("2 lines have no time"), "{parse:?}");
    // What comes later adds up.
    fs::write(
        &path,
        format!("{log}postfix/smtpd[7]: connect from unknown[192.0.2.2]\n"),
    )
    .unwrap();
    place.run(&["ingest", file]);
    let rows = place.select("SELECT lines FROM undated");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["lines"], 3);
}

#[test]
fn a_file_of_which_nothing_is_understood_is_named() {
    let place = Place::new();
    let (good, bad) = (place.path("good.log"), place.path("bad.log"));
    fs::write(
        &good,
        "Nov 20 10:00:00 mx postfix/smtpd[7]: connect from unknown[192.0.2.1]\n",
    )
    .unwrap();
    fs::write(
        &bad,
        "20|11|26 mx connect from unknown\n20|11|26 mx disconnect\n",
    )
    .unwrap();
    let run = place.run(&["ingest", good.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stderr.contains("any of its 2 lines")
            && run.stderr.contains("20|11|26 mx connect from unknown"),
        "{run:?}"
    );
    // It is no source afterwards: a later program may understand it, or the same with another option.
    let sources = "SELECT count(*) FROM source";
    assert_eq!(place.number(sources), 1);
    let again = place.run(&["ingest", bad.to_str().unwrap()]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("any of its 2 lines"), "{again:?}");
    assert_eq!(place.run(&["ingest", good.to_str().unwrap()]).code, Some(0));
    assert_eq!(place.number(sources), 1);
    // Once there is a line of a mail log, all of it counts.
    let mut file = fs::File::options().append(true).open(&bad).unwrap();
    writeln!(
        file,
        "Nov 20 10:00:01 mx postfix/smtpd[7]: disconnect from unknown[192.0.2.1]"
    )
    .unwrap();
    assert_eq!(place.run(&["ingest", bad.to_str().unwrap()]).code, Some(0));
    assert_eq!(place.number(sources), 2);
    // Other logs lie in a directory, too.
    let other = place.path("logs");
    fs::create_dir(&other).unwrap();
    fs::write(
        other.join("mail.log"),
        "Nov 20 10:00:00 mx postfix/smtpd[8]: connect from unknown[192.0.2.1]\n",
    )
    .unwrap();
    fs::write(other.join("kern.log"), "Nov 20 10:00:00 mx kernel: x\n").unwrap();
    assert_eq!(
        place.run(&["ingest", other.to_str().unwrap()]).code,
        Some(0)
    );
}

#[test]
fn encoded_subjects_are_searched_as_text() {
    let place = Place::new();
    let path = place.path("mail.log");
    let line = "Nov 20 10:00:00 mx postfix/cleanup[7]: 9F1C34A001: info: header Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?= \
                from a.example.com[192.0.2.1]; from=<a@example.com> to=<b@example.org> proto=ESMTP helo=<a>\n";
    let log = "Nov 20 10:00:00 mx postfix/smtpd[6]: 9F1C34A001: client=a.example.com[192.0.2.1]\n"
        .to_owned()
        + line
        + "Nov 20 10:00:01 mx postfix/smtp[4]: 9F1C34A001: to=<b@example.org>, relay=x[192.0.2.1]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (ok)\n";
    fs::write(&path, log).unwrap();
    let now = "2026-11-21T00:00:00Z";
    place.run(&["ingest", "-q", "--now", now, path.to_str().unwrap()]);
    let found = place.run(&["find", "subject:Grüße aus", "--all", "-o", "count"]);
    assert_eq!(found.stdout.trim(), "1", "{found:?}");
    let raw = place.run(&["find", "b@example.org", "--all", "-o", "raw"]);
    assert!(raw.stdout.contains("=?UTF-8?Q?Gr=C3=BC"), "{raw:?}");
}

#[test]
fn the_from_header_is_shown_hidden_and_erased() {
    let place = Place::new();
    let path = place.path("mail.log");
    let tail = "from a.example.com[192.0.2.1]; from=<a@example.com> to=<b@example.org> proto=ESMTP helo=<a>";
    let log = format!(
        "Nov 20 10:00:00 mx postfix/smtpd[6]: 9F1C34A001: client=a.example.com[192.0.2.1]\n\
         Nov 20 10:00:00 mx postfix/cleanup[7]: 9F1C34A001: info: header From: =?UTF-8?Q?Gr=C3=BCn?= <boss@example.net> {tail}\n\
         Nov 20 10:00:00 mx postfix/cleanup[7]: 9F1C34A001: milter-header-info: header From: x <y@example.net> {tail}\n\
         Nov 20 10:00:00 mx postfix/qmgr[3]: 9F1C34A001: from=<a@example.com>, size=9, nrcpt=1 (queue active)\n\
         Nov 20 10:00:01 mx postfix/smtp[4]: 9F1C34A001: to=<b@example.org>, relay=x[192.0.2.1]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (ok)\n\
         Nov 20 10:00:01 mx postfix/qmgr[3]: 9F1C34A001: removed\n"
    );
    fs::write(&path, log).unwrap();
    let now = "2026-11-21T00:00:00Z";
    place.succeed(&["ingest", "-q", "--now", now, path.to_str().unwrap()]);
    let shown = |more: &[&str]| {
        let find = ["find", "b@example.org", "--all", "--fields", "header_from"];
        place.succeed(&[&find, more].concat())
    };
    assert_eq!(shown(&[]), "header_from\nGrün <boss@example.net>\n");
    let masked = shown(&["--mask"]);
    assert!(masked.contains("Grün <hidden-"), "{masked}");
    assert!(!masked.contains("boss"), "{masked}");
    place.succeed(&["prune", "--address", "boss@example.net", "--now", now]);
    let erased = shown(&[]);
    assert!(!erased.contains("boss"), "{erased}");
}

/// Reads a public case, where they are at hand, and returns what is found of the recipient.
fn case(name: &str, options: &[&str], recipient: &str) -> Option<(Place, Vec<Value>)> {
    let path = shared("cases/turn02", name)?.join(name);
    let place = Place::new();
    let arguments = [&["ingest", "-q"], options, &[path.to_str().unwrap()]].concat();
    let run = place.run(&arguments);
    assert_eq!(run.code, Some(0), "{run:?}");
    let found = place
        .run(&["find", recipient, "--all", "-o", "json"])
        .stdout;
    let hits = match serde_json::from_str(&found) {
        Ok(Value::Array(hits)) => hits,
        _ => found
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    };
    Some((place, hits))
}

fn begins(hit: &Value, name: &str, expected: &str) {
    let value = hit[name].as_str().unwrap_or_default();
    assert!(value.starts_with(expected), "{name}: {value}");
}

#[test]
fn the_public_cases_have_their_answers() {
    if let Some((place, hits)) = case("01-level-for-host.log", &[], "alice@example.org") {
        assert_eq!(hits.len(), 1);
        begins(&hits[0], "status", "sent");
        let hosts = place.select("SELECT DISTINCT host FROM delivery_from");
        assert_eq!(hosts.len(), 1);
        assert_eq!(hosts[0]["host"], "");
    }
    for options in [&["--timezone", "Europe/Berlin"][..], &[]] {
        if let Some((_, hits)) = case("03-docker-in-syslog.log", options, "bob@example.net") {
            assert_eq!(hits.len(), 1);
            begins(&hits[0], "status", "sent");
            begins(&hits[0], "time", "2026-05-02T20:56:21");
            begins(&hits[0], "host", "mail");
        }
    }
    if let Some((_, hits)) = case(
        "17-stamps-change-in-file.log",
        &["--timezone", "Europe/Paris"],
        "council@example.org",
    ) {
        assert_eq!(hits.len(), 1);
        begins(&hits[0], "status", "sent");
        begins(&hits[0], "first_time", "2024-10-03T12:00:31");
        begins(&hits[0], "time", "2024-10-03T13:20:02");
    }
    if let Some((_, hits)) = case(
        "25-stale-repeated-line.log",
        &["--year", "2026"],
        "bob@example.org",
    ) {
        assert_eq!(hits.len(), 1);
        begins(&hits[0], "time", "2026-11-21T12:00:02");
    }
    if let Some((_, hits)) = case("31-grep-output.log", &[], "enduser@example.org") {
        assert_eq!(hits.len(), 1);
        begins(&hits[0], "status", "sent");
        begins(&hits[0], "time", "2026-11-20T18:51:14.580042");
    }
}
