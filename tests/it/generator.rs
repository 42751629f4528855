//! A generated log of known content: every count of its ground truth equals what the tables say, in every format.
//!
//! The generator is `../shared/postfix-rig/loggen`; what each count means stands in its README.

use crate::program::{Differences, Place, int, say, shared, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// Lines in each format; a tenth of a line a second spreads them over days, so that messages expire.
const LINES: &str = "200000";
const RATE: &str = "0.25";

/// A message that is not a notice and did not continue another one.
const ROOT: &str = "root_id = id AND origin <> 'bounce' AND status <> 'rejected'";
/// A recipient whose fate was decided (or is open) here and not at a later hop.
const LEAF: &str = "t.status NOT IN ('filtered', 'relayed', 'forwarded', 'requeued')";

/// Counts of the ground truth and the statement that must give the same number.
fn counts() -> Vec<(&'static str, String)> {
    let leaf = |status: &str| {
        format!(
            "SELECT count(*) FROM delivery_to t JOIN delivery_from f ON f.id = t.from_id
             JOIN delivery_from r ON r.id = f.root_id WHERE r.origin <> 'bounce' AND r.status <> 'rejected' AND {LEAF} AND {status}"
        )
    };
    let attempts = |words: &str| format!("SELECT count(*) FROM attempt WHERE status IN ({words})");
    let from = |condition: &str| format!("SELECT count(*) FROM delivery_from WHERE {condition}");
    vec![
        ("messages", from(ROOT)),
        ("inbound", from(&format!("{ROOT} AND host LIKE 'mx_' AND origin = 'smtpd'"))),
        ("local", from(&format!("{ROOT} AND origin = 'pickup'"))),
        ("bounce_notices", from("origin = 'bounce' AND parent_link = 'bounce' AND parent_id IS NOT NULL")),
        ("queue_lifetimes", from("status <> 'rejected'")),
        (
            "reused_queue_ids",
            "SELECT count(*) - count(DISTINCT host || ' ' || instance || ' ' || queue_id) FROM delivery_from".into(),
        ),
        ("bytes_accepted", format!("SELECT sum(size)::BIGINT FROM delivery_from WHERE {ROOT}")),
        ("rcpt_total", leaf("true")),
        ("rcpt_sent", leaf("t.status = 'sent'")),
        ("rcpt_bounced", leaf("t.status = 'bounced'")),
        ("rcpt_expired", leaf("t.status = 'expired'")),
        ("rcpt_queued", leaf("t.status = 'deferred'")),
        ("lines_sent", attempts("'sent', 'filtered', 'relayed', 'forwarded'")),
        ("lines_deferred", attempts("'deferred', 'expired'")),
        ("lines_bounced", attempts("'bounced'")),
        ("lines_expired", "SELECT count(DISTINCT from_id) FROM delivery_to WHERE status = 'expired'".into()),
        ("milter_rejects", "SELECT sum(count)::BIGINT FROM noqueue WHERE action = 'milter-reject'".into()),
        (
            "connections_smtpd",
            "SELECT sum(count)::BIGINT FROM connection WHERE service LIKE '%smtpd' AND client_address <> '127.0.0.1'".into(),
        ),
        ("connections_postscreen", "SELECT sum(count)::BIGINT FROM connection WHERE service = 'postscreen'".into()),
        ("client_tls", "SELECT sum(count)::BIGINT FROM connection WHERE tls IS NOT NULL".into()),
        ("auth_failures", "SELECT sum(count)::BIGINT FROM auth WHERE NOT ok".into()),
    ]
}

/// Refusals by the generator's name for the reason; every one has its own words in the text.
const REASONS: &str = "SELECT CASE
    WHEN service = 'postscreen' THEN 'postscreen-dnsbl'
    WHEN reason LIKE '%blocked using%' THEN 'rbl'
    WHEN reason LIKE '%User unknown in virtual mailbox table%' THEN 'user-unknown'
    WHEN reason LIKE '%Relay access denied%' THEN 'relay-denied'
    WHEN reason LIKE '%need fully-qualified hostname%' THEN 'helo-not-fqdn'
    WHEN reason LIKE '%Sender address rejected: Domain not found%' THEN 'sender-domain-not-found'
    WHEN reason LIKE '%cannot find your hostname%' THEN 'no-reverse'
    WHEN reason LIKE '%Greylisted%' THEN 'greylist'
    WHEN reason LIKE '%SPF fail%' THEN 'spf'
    ELSE reason END AS why, sum(count)::BIGINT AS n
    FROM noqueue WHERE action = 'reject' GROUP BY why ORDER BY why";

fn generate(rig: &Path, place: &Place, lines: &str, rate: &str, format: &str) -> Value {
    let (log, truth, journeys) = (
        place.path("big.log"),
        place.path("truth.json"),
        place.path("journeys.jsonl"),
    );
    let status = Command::new(rig.join("loggen"))
        .args([
            "--lines",
            lines,
            "--rate",
            rate,
            "--format",
            format,
            "--journey-every",
            "20",
        ])
        .arg("--out")
        .arg(&log)
        .arg("--truth")
        .arg(&truth)
        .arg("--journeys")
        .arg(&journeys)
        .status()
        .unwrap();
    assert!(status.success());
    serde_json::from_reader(std::fs::File::open(truth).unwrap()).unwrap()
}

/// Pipes the generated log through a command into `name`.
fn convert(place: &Place, mut command: Command, name: &str) {
    let status = command
        .stdin(std::fs::File::open(place.path("big.log")).unwrap())
        .stdout(std::fs::File::create(place.path(name)).unwrap())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{command:?}");
}

fn compare(place: &Place, truth: &Value, of: &str) {
    let mut differences = Differences::default();
    for (name, sql) in counts() {
        differences.compare(name, int(&truth["counts"], name), place.number(&sql));
    }
    let rejects: BTreeMap<String, i64> =
        serde_json::from_value(truth["rejects_by_reason"].clone()).unwrap();
    let ours = place.select(REASONS);
    let ours = ours
        .iter()
        .map(|r| (text(r, "why").to_owned(), int(r, "n")));
    differences.compare("rejects by reason", rejects, ours.collect());
    let lines = place.number("SELECT sum(lines)::BIGINT FROM coverage");
    differences.compare("lines", int(truth, "lines"), lines);
    let strange = place.number("SELECT sum(not_understood)::BIGINT FROM coverage");
    differences.compare("lines not understood", 0, strange);
    let hosts = place.select("SELECT DISTINCT host FROM delivery_from ORDER BY host");
    let hosts: Vec<&str> = hosts.iter().map(|r| text(r, "host")).collect();
    differences.compare("hosts", vec!["mx1", "mx2", "out1", "sub1"], hosts);
    let first = place.number("SELECT floor(epoch(min(first_time)))::BIGINT FROM coverage");
    differences.compare(
        "first second",
        truth["first"].as_f64().map(floor),
        Some(first),
    );
    let last = place.number("SELECT floor(epoch(max(last_time)))::BIGINT FROM coverage");
    differences.compare("last second", truth["last"].as_f64().map(floor), Some(last));
    let watched = compare_journeys(place, &mut differences);
    differences.none(of);
    say(&format!(
        "generator, {of}: {lines} lines, all counts equal, {watched} messages followed to their recipients"
    ));
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
fn floor(seconds: f64) -> i64 {
    seconds.floor() as i64
}

/// Recipient, and what became of it at which queue id.
type Fates<'a> = BTreeMap<&'a str, (&'a str, &'a str)>;

/// Follows single messages from their first queue id to what became of each recipient.
fn compare_journeys(place: &Place, differences: &mut Differences) -> usize {
    let rows = place.select(&format!(
        "SELECT r.queue_id AS first, trim(r.message_id, '<>') AS msgid, t.recipient, t.status, f.queue_id AS last
         FROM delivery_to t JOIN delivery_from f ON f.id = t.from_id JOIN delivery_from r ON r.id = f.root_id WHERE {LEAF}"
    ));
    let mut fates: BTreeMap<(&str, &str), Fates> = BTreeMap::new();
    for row in &rows {
        let message = fates
            .entry((text(row, "first"), text(row, "msgid")))
            .or_default();
        message.insert(
            text(row, "recipient"),
            (text(row, "status"), text(row, "last")),
        );
    }
    let journeys = std::fs::read_to_string(place.path("journeys.jsonl")).unwrap();
    for line in journeys.lines() {
        let journey: Value = serde_json::from_str(line).unwrap();
        let ids: Vec<&str> = journey["qids"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let (first, last) = (ids.first().copied().unwrap(), ids.last().copied().unwrap());
        let truth = journey["rcpts"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(rcpt, fate)| {
                let word = if fate == "queued" {
                    "deferred"
                } else {
                    fate.as_str().unwrap()
                };
                (rcpt.as_str(), (word, last))
            });
        let key = (first, text(&journey, "msgid"));
        let ours = fates.get(&key).cloned().unwrap_or_default();
        differences.compare(line, truth.collect(), ours);
    }
    journeys.lines().count()
}

#[test]
fn generated_log_gives_exact_counts_in_every_text_format() {
    let Some(rig) = shared("postfix-rig", "generator") else {
        return;
    };
    for format in ["rfc3164", "rfc3339", "journal-export"] {
        let place = Place::new();
        let truth = generate(&rig, &place, LINES, RATE, format);
        let log = place.path("big.log");
        place.succeed(&["ingest", "--json", "--year", "2026", log.to_str().unwrap()]);
        compare(&place, &truth, format);
    }
}

#[test]
fn converted_log_gives_the_same_counts() {
    let Some(rig) = shared("postfix-rig", "generator, converted") else {
        return;
    };
    let source = Place::new();
    let truth = generate(&rig, &source, LINES, RATE, "rfc3339");

    let mut command = Command::new(rig.join("convert"));
    command.args(["--to", "rfc5424"]);
    convert(&source, command, "rfc5424.log");
    let place = Place::new();
    std::fs::rename(source.path("journeys.jsonl"), place.path("journeys.jsonl")).unwrap();
    place.ingest_stdin(&source.path("rfc5424.log"));
    compare(&place, &truth, "rfc5424 from standard input");

    let journal = source.path("journal");
    let mut command = Command::new(rig.join("convert"));
    command.args(["--to", "journal", "--out"]).arg(&journal);
    let remote = ["/lib/systemd", "/usr/lib/systemd"]
        .iter()
        .any(|dir| Path::new(dir).join("systemd-journal-remote").exists());
    if !remote {
        crate::skip::skip("generator, journalctl -o json (no systemd-journal-remote)");
        return;
    }
    convert(&source, command, "convert.out");
    let mut command = Command::new("journalctl");
    command
        .args(["--all", "-o", "json", "--directory"])
        .arg(&journal);
    convert(&source, command, "journal.json");
    let second = Place::new();
    std::fs::rename(place.path("journeys.jsonl"), second.path("journeys.jsonl")).unwrap();
    second.ingest_stdin(&source.path("journal.json"));
    compare(&second, &truth, "journalctl -o json from standard input");
}

#[test]
fn a_million_lines_give_exact_counts() {
    let Some(rig) = shared("postfix-rig", "generator, a million lines") else {
        return;
    };
    let place = Place::new();
    let truth = generate(&rig, &place, "1000000", "25", "rfc3164");
    let log = place.path("big.log");
    place.succeed(&["ingest", "--json", "--year", "2026", log.to_str().unwrap()]);
    compare(&place, &truth, "rfc3164, a million lines");
}
