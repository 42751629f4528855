//! `maillog prune` as people type it, and totals that outlive rows.

use crate::program::{Place, int, text};
use std::collections::BTreeMap;

const LOG: [&str; 3] = [
    "testlogs/demo/mail.log",
    "testlogs/demo/mail.log.1",
    "testlogs/demo/mail.log.2.gz",
];
/// So soon after the log that its raw lines are kept.
const SOON_AFTER: &str = "2026-11-22T00:00:00Z";
/// After everything in the log, and after all retention.
const LATER: &str = "2028-01-01T00:00:00Z";

fn filled() -> Place {
    let place = Place::new();
    ingest(&place);
    place
}

fn ingest(place: &Place) -> String {
    let mut args = vec!["ingest", "--json", "--now", SOON_AFTER];
    args.extend(LOG);
    place.succeed(&args)
}

/// Totals by name and labels.
fn totals(place: &Place) -> BTreeMap<(String, String), i64> {
    let rows = place.select("SELECT name, labels, value::BIGINT AS value FROM counter");
    rows.iter()
        .map(|row| {
            let key = (text(row, "name").to_owned(), text(row, "labels").to_owned());
            (key, int(row, "value"))
        })
        .collect()
}

fn total(totals: &BTreeMap<(String, String), i64>, name: &str) -> i64 {
    let of_name = totals.iter().filter(|((known, _), _)| known == name);
    of_name.map(|(_, value)| value).sum()
}

#[test]
fn totals_agree_with_the_tables_and_outlive_them() {
    let place = filled();
    let before = totals(&place);
    for (name, sql) in [
        ("postfix_deliveries_total", "SELECT count(*) FROM attempt"),
        (
            "postfix_smtp_messages_processed_total",
            "SELECT count(*) FROM attempt WHERE agent = 'smtp' OR agent LIKE '%/smtp'",
        ),
        (
            "postfix_rejects_total",
            "SELECT sum(count)::BIGINT FROM noqueue WHERE action IN ('reject', 'milter-reject', 'proxy-reject', 'hangup')",
        ),
        (
            "postfix_login_failures_total",
            "SELECT coalesce(sum(count), 0)::BIGINT FROM auth WHERE NOT ok",
        ),
        (
            "postfix_qmgr_messages_removed_total",
            "SELECT count(*) FROM delivery_from WHERE removed IS NOT NULL AND status IN ('done', 'expired', 'discarded')",
        ),
        (
            "maillog_ingest_lines_total",
            "SELECT sum(lines)::BIGINT FROM coverage",
        ),
    ] {
        assert_eq!(total(&before, name), place.number(sql), "{name}");
    }
    let bytes: i64 = std::fs::read_dir("testlogs/demo")
        .map_or(0, |_| total(&before, "maillog_ingest_bytes_total"));
    let summary: serde_json::Value = serde_json::from_str(&ingest(&place)).unwrap();
    assert_eq!(int(&summary, "lines"), 0);
    assert!(bytes > 100_000);
    assert_eq!(totals(&place), before, "reading it again counts nothing");

    place.succeed(&["prune", "--now", LATER]);
    assert_eq!(
        place.number(
            "SELECT count(*) FROM delivery_to WHERE from_id NOT IN (SELECT id FROM delivery_from)"
        ),
        0
    );
    // Probes have no row, and are remembered all the same.
    let forgotten = "SELECT count(*) FROM delivery_from WHERE removed IS NOT NULL \
                     AND id NOT IN (SELECT unnest((state->'$.closed')::BIGINT[]) FROM open_message)";
    assert_eq!(
        place.number(forgotten),
        0,
        "only what the correlator remembers is left"
    );
    let mut after = totals(&place);
    assert!(total(&after, "maillog_pruned_rows_total") > 1000);
    after.retain(|(name, _), _| name != "maillog_pruned_rows_total");
    assert_eq!(after, before);
    // The cursors are there still: nothing comes back.
    let summary: serde_json::Value = serde_json::from_str(&ingest(&place)).unwrap();
    assert_eq!(int(&summary, "lines"), 0);
}

#[test]
fn what_the_preview_tells_goes_and_open_messages_stay() {
    let place = filled();
    let open = place.number("SELECT count(*) FROM delivery_from WHERE removed IS NULL");
    let lines = "SELECT count(*) FROM log_line WHERE from_id IN (SELECT id FROM delivery_from WHERE removed IS NULL)";
    let open_lines = place.number(lines);
    assert!(open > 0 && open_lines > 0);
    let args = ["prune", "--now", LATER, "--table", "noqueue", "-o", "json"];
    let told = place.succeed(&[&args[..], &["--dry-run"]].concat());
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 45);
    assert!(
        told.contains("\"rows\":45") || told.contains("\"rows\": 45"),
        "{told}"
    );
    assert!(place.succeed(&args).contains("45"));
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 0);
    place.succeed(&["prune", "--now", LATER, "--older-than", "1h"]);
    assert_eq!(
        place.number("SELECT count(*) FROM delivery_from WHERE removed IS NULL"),
        open
    );
    assert_eq!(place.number(lines), open_lines);
    assert_eq!(place.number("SELECT count(*) FROM event"), 0);
}

#[test]
fn an_address_is_erased_down_to_the_last_byte() {
    let place = filled();
    let address = "hold-release@ok.test";
    let found = place.run(&["find", address, "--all"]);
    assert_eq!(found.code, Some(0));
    let upper = address.to_uppercase();
    place.succeed(&["prune", "--address", &upper, "--compact"]);
    assert_eq!(place.run(&["find", address, "--all"]).code, Some(1));
    for entry in std::fs::read_dir(place.path("")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
        let hit = bytes
            .windows(address.len())
            .any(|w| w == address.as_bytes());
        assert!(!hit, "{}", path.display());
    }
    // Everything else is there.
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 45);
    let summary: serde_json::Value = serde_json::from_str(&ingest(&place)).unwrap();
    assert_eq!(int(&summary, "lines"), 0);
}

#[test]
fn nonsense_is_refused_before_anything_goes() {
    let place = filled();
    for (args, said) in [
        (
            vec!["--table", "mails"],
            "--table mails: not one of deliveries, noqueue",
        ),
        (
            vec!["--older-than", "soon"],
            "--older-than soon: write days (30)",
        ),
        (vec!["--older-than", "-3"], "unexpected argument"),
        (
            vec!["--address", "alice"],
            "--address alice: write an address as user@domain",
        ),
        (
            vec!["--address", "a@b.example", "--table", "auth"],
            "cannot be used with",
        ),
    ] {
        let outcome = place.run(&[&["prune", "--now", LATER][..], &args].concat());
        assert_eq!(outcome.code, Some(2), "{args:?}");
        assert!(
            outcome.stderr.contains(said),
            "{args:?}: {}",
            outcome.stderr
        );
    }
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 45);
    let nowhere = Place::new();
    let outcome = nowhere.run(&["prune"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("no database at"),
        "{}",
        outcome.stderr
    );
    assert!(!nowhere.path("maillog.duckdb").exists());
}

/// An address that nobody uses now.
fn free_address() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Scrapes; none while nobody answers.
fn scrape(address: std::net::SocketAddr) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

/// Scrapes until the series is there.
fn scrape_until(address: std::net::SocketAddr, series: &str) -> String {
    let begun = std::time::Instant::now();
    loop {
        if let Some(text) = scrape(address).filter(|text| text.contains(series)) {
            return text;
        }
        assert!(begun.elapsed().as_secs() < 60, "no {series}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn beside_a_running_service_totals_are_scraped_and_rows_are_pruned() {
    let place = Place::new();
    let address = free_address();
    let (settings, log) = (place.path("maillog.toml"), place.path("mail.log"));
    std::fs::write(&settings, format!("[metrics]\nlisten = \"{address}\"\n")).unwrap();
    std::fs::copy(LOG[1], &log).unwrap();
    let global = ["--config", settings.to_str().unwrap()];
    let args = ["--follow", log.to_str().unwrap()];
    let mut service = crate::service::Service::start_with(&place, &global, &args);
    let before = scrape_until(address, "postfix_smtpd_connects_total ");
    promtool(&before);
    expect_tasks(&place, "running", "waiting");
    let counters = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("_total"));
        let stored = lines.filter(|line| !line.starts_with('#') && !line.contains("pruned"));
        stored.map(str::to_owned).collect()
    };
    place.succeed(&["prune", "--dry-run", "--now", LATER]);
    let told = place.succeed(&["prune", "--now", LATER, "--table", "connection"]);
    assert!(told.contains("connection\t"), "{told}");
    service.until("SELECT count(*) FROM connection", 0);
    let full = scrape_until(address, "maillog_pruned_rows_total{table=\"connection\"}");
    service.restart();
    let after = scrape_until(address, "postfix_smtpd_connects_total ");
    // It has read nothing since, and knows how far it was.
    scrape_until(address, "maillog_ingest_lag_seconds{source=");
    assert_eq!(counters(&after), counters(&full));
    place.succeed(&["prune", "--compact"]);
    assert!(service.said().contains("database file rewritten"));
    assert_eq!(
        counters(&scrape_until(address, "postfix_smtpd_connects_total ")),
        counters(&full)
    );
    service.kill();
    expect_tasks(&place, "stopped", "waiting");
}

/// `maillog status` says how the tasks are: those that always run, and retention.
fn expect_tasks(place: &Place, always: &str, retention: &str) {
    let begun = std::time::Instant::now();
    loop {
        let status: serde_json::Value =
            serde_json::from_str(&place.succeed(&["status", "--json"])).unwrap();
        let tasks = status["tasks"].as_array().unwrap().iter();
        let states = tasks.map(|task| {
            (
                task["task"].as_str().unwrap(),
                task["state"].as_str().unwrap(),
            )
        });
        // How that of the queue fares depends on the machine's Postfix.
        let states: Vec<_> = states.filter(|(task, _)| *task != "queue").collect();
        let expected = [
            ("memory guard", always),
            ("metrics", always),
            ("outbox", always),
            ("retention", retention),
            ("server", always),
        ];
        if states == expected {
            return;
        }
        // They are stored within two seconds or so.
        assert!(begun.elapsed().as_secs() < 60, "{states:?}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Prometheus's own opinion.
fn promtool(text: &str) {
    use std::io::Write as _;
    let child = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        crate::skip::skip("promtool check metrics (no promtool)");
        return;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

#[test]
fn beside_a_running_service_an_erased_address_is_in_no_byte_afterwards() {
    const ADDRESS: &str = "zoe.quux@erased.example";
    let place = Place::new();
    let log = place.path("mail.log");
    std::fs::copy(LOG[1], &log).unwrap();
    let args = ["--follow", log.to_str().unwrap()];
    let mut service = crate::service::Service::start(&place, &args);
    service.until("SELECT (count(*) > 0)::INT FROM delivery_to", 1);
    // The last line of a host, a message that the service remembers, a strange program, and an archive.
    let lines = format!(
        "2026-11-21T09:00:00+00:00 mx7 postfix/smtpd[1]: 4jWcv2BBBBz5rrL: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username={ADDRESS}\n\
         2026-11-21T09:00:00+00:00 mx7 postfix/qmgr[2]: 4jWcv2BBBBz5rrL: from=<{ADDRESS}>, size=1, nrcpt=1 (queue active)\n\
         2026-11-21T09:00:01+00:00 mx7 postfix/smtp[3]: 4jWcv2BBBBz5rrL: to=<{ADDRESS}>, relay=mx.example.net[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok <{ADDRESS}>)\n\
         2026-11-21T09:00:02+00:00 mx7 postfix/qmgr[2]: 4jWcv2BBBBz5rrL: removed\n\
         2026-11-21T09:00:03+00:00 mx7 postfix/{ADDRESS}[4]: nobody knows {ADDRESS}\n\
         2026-11-21T09:00:04+00:00 mx7 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 <{ADDRESS}>: \
         Recipient address rejected: User unknown; from=<a@example.org> to=<{ADDRESS}> proto=ESMTP helo=<x>\n"
    );
    let archive = place.path("archive.log");
    // Another mail: a line that names the same one counts once, whatever its host.
    let other = lines
        .replace("mx7", "mx8")
        .replace("4jWcv2BBBB", "4jWcv2DDDD");
    std::fs::write(&archive, other).unwrap();
    place.succeed(&["ingest", archive.to_str().unwrap()]);
    append(&log, &lines);
    // What is asked is kept, too, in the audit: so no question has the whole of the name.
    let named = "SELECT count(*) FROM delivery_to WHERE recipient LIKE '%oe.quux@erased.example'";
    service.until(named, 2);
    assert!(holds(&place, ADDRESS));
    let outcome = place.run(&["prune", "--address", ADDRESS, "--compact"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    // All of it is told, and a script that goes on finds nothing.
    let deleted = |table: &str| {
        let row = outcome.stdout.lines().find(|row| row.starts_with(table));
        let cells = row.unwrap_or_default().split('\t').skip(1);
        cells
            .filter_map(|cell| cell.parse::<u64>().ok())
            .sum::<u64>()
    };
    for table in ["delivery_to\t", "noqueue\t", "delivery_from\t"] {
        assert!(deleted(table) >= 2, "{table}: {outcome:?}");
    }
    assert_eq!(place.run(&["find", "addr:oe.quux"]).code, Some(1));
    assert_eq!(place.number(named), 0);
    assert!(service.said().contains("database file rewritten"));
    assert_eq!(service.name(), "maillog");
    assert!(!holds(&place, ADDRESS));
    // It goes on, and what is new about the host is told apart from what was.
    append(
        &log,
        "2026-11-21T09:00:05+00:00 mx7 postfix/qmgr[2]: 4jWcv2CCCCz5rrL: from=<b@example.org>, size=1, nrcpt=1 (queue active)\n",
    );
    service.until(
        "SELECT count(*) FROM delivery_from WHERE sender = 'b@example.org' AND host = 'mx7'",
        1,
    );
    service.kill();
    assert!(!holds(&place, ADDRESS));
    place.succeed(&["prune", "--compact"]);
    assert!(!holds(&place, "zoe.quux"));
}

fn append(log: &std::path::Path, text: &str) {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new().append(true).open(log).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Tells whether a file of the database has the text.
fn holds(place: &Place, text: &str) -> bool {
    let files = std::fs::read_dir(place.path("")).unwrap().flatten();
    let mut of_database = files.filter(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        name.starts_with("maillog.duckdb") && file.path().is_file()
    });
    of_database.any(|file| {
        let bytes = std::fs::read(file.path()).unwrap();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

/// Rows that a run told, by table.
fn rows(json: &str, column: &str) -> BTreeMap<String, i64> {
    let rows = json.lines().map(|line| serde_json::from_str(line).unwrap());
    rows.map(|row: serde_json::Value| (text(&row, "table").to_owned(), int(&row, column)))
        .collect()
}

#[test]
fn the_preview_promises_what_pruning_deletes() {
    // The log ends with messages that were closed within its last seconds; for the second run it has ended long ago.
    for (now, options) in [
        ("2026-11-21T03:21:51Z", &["--older-than", "1s"][..]),
        ("2026-11-21T05:00:00Z", &["--older-than", "1h"]),
        (
            "2026-11-21T05:00:00Z",
            &["--older-than", "1h", "--table", "deliveries"],
        ),
        (
            "2026-11-21T05:00:00Z",
            &[
                "--older-than",
                "1h",
                "--table",
                "lines",
                "--table",
                "noqueue",
            ],
        ),
        (LATER, &[]),
        (LATER, &["--table", "deliveries"]),
    ] {
        let place = Place::new();
        let read = ["ingest", "-q", "--now", "2026-11-21T03:21:51Z"];
        place.succeed(&[&read[..], &LOG].concat());
        let args = [&["prune", "--now", now, "-o", "json"][..], options].concat();
        let told = place.succeed(&[&args[..], &["--dry-run"]].concat());
        let mut gone = rows(&place.succeed(&args), "deleted");
        // What recognises log that was read is no row of anybody.
        gone.retain(|table, _| !matches!(table.as_str(), "anchor" | "source" | "seen" | "undated"));
        assert_eq!(rows(&told, "rows"), gone, "{now} {options:?}");
        let told = place.succeed(&[&args[..], &["--dry-run"]].concat());
        assert_eq!(rows(&told, "rows"), BTreeMap::new(), "{now} {options:?}");
    }
}

#[test]
fn what_was_closed_where_a_log_has_ended_goes_like_everything_else() {
    let place = Place::new();
    let read = ["ingest", "-q", "--now", "2026-11-21T03:21:51Z"];
    place.succeed(&[&read[..], &LOG].concat());
    let closed = "SELECT count(*) FROM delivery_from WHERE removed IS NOT NULL";
    // The log may go on: what was closed last stays.
    place.succeed(&[
        "prune",
        "--older-than",
        "1s",
        "--now",
        "2026-11-21T03:22:51Z",
    ]);
    assert!(place.number(closed) > 0);
    place.succeed(&["prune", "--now", LATER]);
    assert_eq!(place.number(closed), 0);
    for table in ["delivery_to", "delivery_attempt", "log_line"] {
        let orphans = format!(
            "SELECT count(*) FROM {table} WHERE from_id NOT IN (SELECT id FROM delivery_from)"
        );
        assert_eq!(place.number(&orphans), 0, "{table}");
    }
    // It goes on all the same.
    place.succeed(&[
        "ingest",
        "-q",
        "testlogs/formats/rfc3164.log",
        "--now",
        "2026-11-21T03:21:51Z",
    ]);
}
