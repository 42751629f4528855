//! The canned queries: each answers everywhere, its options do what they say, and its numbers are right.
//!
//! What is right is counted independently: by the generator of the log while it wrote it, by hand in small stories, and
//! by other queries that must come to the same sum.

use crate::program::{Differences, Place, int, shared, text};
use maillog::canned::{self, Canned, Kind};
use maillog::model::table::Param;
use maillog::model::time::Time;
use maillog::render::{self, Format, Style};
use maillog::store::Store;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

const NOW: &str = "2026-11-21T04:00:00Z";

/// Runs a query and returns its rows.
fn rows(place: &Place, args: &[&str]) -> Vec<Value> {
    let args = [&["query", "-o", "json", "--now", NOW], args].concat();
    let text = place.succeed(&args);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn sum(rows: &[Value], column: &str) -> i64 {
    rows.iter().map(|row| int(row, column)).sum()
}

/// The number beside a word, as `totals` has them.
fn of(rows: &[Value], column: &str, word: &str, number: &str) -> i64 {
    let row = rows.iter().find(|row| text(row, column) == word);
    row.map_or(0, |row| int(row, number))
}

fn demo() -> Place {
    Place::filled(&["testlogs/demo", "--now", NOW])
}

fn empty() -> Place {
    Place::filled(&["-"])
}

/// Asks in this process, which is quicker for hundreds of questions; `given` are the parameters that differ.
fn ask(store: &Store, query: &Canned, given: &[(&str, &str)]) -> Vec<Value> {
    let now: Time = chrono::DateTime::parse_from_rfc3339(NOW)
        .unwrap()
        .to_utc()
        .into();
    let params = query.bind(|param| {
        let given = given.iter().find(|(name, _)| *name == param.name);
        let value = given.map_or(param.default, |(_, value)| value);
        Ok::<_, String>(match (param.kind, param.name) {
            (Kind::Time, "since") => Param::Time(Time(0)),
            (Kind::Time, _) => Param::Time(now),
            (Kind::Count, _) => Param::Int(value.parse().unwrap()),
            (Kind::Number, _) => Param::Float(value.parse().unwrap()),
            (Kind::Zone, _) if value.is_empty() => Param::Text("UTC".into()),
            (Kind::Text, _) if param.is_required => Param::Text("hana.0402@ok.test".into()),
            (Kind::Domain, _) if !value.is_empty() => Param::Text(format!("@{value}")),
            (Kind::Text | Kind::Domain | Kind::Zone, _) => Param::Text(value.into()),
        })
    });
    let table = store.select(&query.sql, &params.unwrap());
    let table = table.unwrap_or_else(|error| panic!("{}: {error}", query.name));
    let mut json = Vec::new();
    render::table(&table, Format::Json, &Style::default(), &mut json).unwrap();
    let rows = serde_json::Deserializer::from_slice(&json).into_iter();
    rows.collect::<Result<_, _>>().unwrap()
}

fn store(place: &Place) -> Store {
    Store::open_reader(&place.path("maillog.duckdb")).unwrap()
}

#[test]
fn every_query_answers_on_an_empty_and_on_a_filled_database() {
    let (empty, demo) = (empty(), demo());
    let (empty, demo) = (store(&empty), store(&demo));
    // What the log of the demo has none of.
    let nothing = [
        "audit",
        "fatals",
        "no_size",
        "panics",
        "queue_trend",
        "reject_warnings",
        "signature_clients",
        "signature_daily",
        "signatures",
        "signatures_mixed",
        "tls_downgrades",
        "tls_in_errors",
        "unparsed",
        "worse",
        "auth_fail",
        "auth_fail_users",
        "backscatter",
        "bad_lists",
    ];
    let mut differences = Differences::default();
    for query in canned::all().unwrap() {
        let none = ask(&empty, &query, &[]);
        if !matches!(query.name, "totals" | "storage") {
            differences.compare(&format!("{} of nothing", query.name), 0, none.len());
        }
        let some = ask(&demo, &query, &[]);
        let is_empty = nothing.contains(&query.name);
        differences.compare(
            &format!("{} is empty", query.name),
            is_empty,
            some.is_empty(),
        );
    }
    differences.none("testlogs/demo");
}

/// The rig's servers with TLS listen on these ports, and no others have it.
#[test]
fn tls_is_told_of_connections_that_had_it_and_of_no_others() {
    let demo = demo();
    let count = |condition: &str| {
        let statement = format!("SELECT count(*) AS n FROM attempt WHERE {condition}");
        let text = demo.succeed(&["sql", "-o", "json", &statement]);
        int(&serde_json::from_str(&text).unwrap(), "n")
    };
    let with_tls = "relay_port IN (21500, 21507, 21515)";
    let cipher = "tls IS NOT DISTINCT FROM 'TLSv1.3 TLS_AES_256_GCM_SHA384 Untrusted'";
    assert!(count(&format!("{with_tls} AND {cipher}")) > 30);
    assert_eq!(count(&format!("{with_tls} AND NOT ({cipher})")), 0);
    assert_eq!(count(&format!("NOT {with_tls} AND tls <> 'none'")), 0);
    assert!(count(&format!("NOT {with_tls} AND tls = 'none'")) > 30);
    // The first mails of the log: nothing had been announced yet.
    let sent = "tls IS NULL AND status = 'sent'";
    assert!(count(&format!("NOT {with_tls} AND {sent}")) > 30);
    let shown = rows(&demo, &["tls_out"]);
    let levels: Vec<_> = shown.iter().map(|row| text(row, "level")).collect();
    assert_eq!(levels, ["not known", "none", "untrusted"]);
}

#[test]
fn every_option_is_taken_and_filters_leave_nothing_of_what_is_not_there() {
    let demo = demo();
    let demo = store(&demo);
    let mut differences = Differences::default();
    for query in canned::all().unwrap() {
        let mut others = Vec::new();
        for param in &query.params {
            let value = match (param.kind, param.name) {
                (_, "host" | "instance" | "user") => "nosuch",
                (Kind::Domain, _) => "nosuch.example",
                (Kind::Count, _) => "3",
                (Kind::Number, _) => "0.5",
                (Kind::Zone, _) => "+05:30",
                (Kind::Time | Kind::Text, _) => continue,
            };
            if !value.starts_with("nosuch") {
                others.push((param.name, value));
                continue;
            }
            let found = ask(&demo, &query, &[(param.name, value)]);
            let is_something =
                sum(&found, "number") != 0 || (query.name != "totals" && !found.is_empty());
            if is_something {
                differences.note(format!("{} {} {value}: {found:?}", query.name, param.name));
            }
        }
        let found = ask(&demo, &query, &others);
        if query.param("top").is_some() && found.len() > 6 {
            differences.note(format!("{} {others:?}: {} rows", query.name, found.len()));
        }
    }
    differences.none("options");
}

#[test]
fn hosts_add_up_to_all() {
    let demo = demo();
    for (name, column) in [
        ("totals", "number"),
        ("domains_to", "delivered"),
        ("rejected_detail", "refusals"),
        ("smtpd_hourly", "connections"),
        ("traffic_hourly", "delivered"),
        ("qshape", "total"),
        ("coverage", "lines"),
    ] {
        let total = |args: &[&str]| {
            let rows = rows(&demo, &[&[name], args].concat());
            // Distinct addresses and domains may be those of both hosts.
            let rows: Vec<Value> = rows
                .into_iter()
                .filter(|row| {
                    !text(row, "what").contains("sender")
                        && !text(row, "what").contains("recipient")
                })
                .filter(|row| {
                    !text(row, "what").contains("sending") && text(row, "what") != "deferred"
                })
                .collect();
            sum(&rows, column)
        };
        let (mx1, out1) = (total(&["--host", "mx1"]), total(&["--host", "out1"]));
        assert_eq!(mx1 + out1, total(&[]), "{name}");
        assert!(mx1 > 0, "{name}");
    }
}

#[test]
fn queries_about_the_same_thing_come_to_the_same_number() {
    let demo = demo();
    let totals = rows(&demo, &["totals"]);
    let total = |what| of(&totals, "what", what, "number");
    let hourly = rows(&demo, &["traffic_hourly"]);
    for what in ["received", "delivered", "bounced", "expired", "rejected"] {
        assert_eq!(sum(&hourly, what), total(what), "{what}");
    }
    let daily = rows(&demo, &["traffic_daily"]);
    assert_eq!(sum(&daily, "deferred"), total("deferrals"));
    let all = ["--top", "1000"];
    let of_all =
        |name: &str, column: &str| sum(&rows(&demo, &[&[name], &all[..]].concat()), column);
    assert_eq!(of_all("domains_to", "delivered"), total("delivered"));
    assert_eq!(of_all("domains_to", "bytes"), total("bytes delivered"));
    assert_eq!(of_all("domains_to", "deferrals"), total("deferrals"));
    assert_eq!(of_all("recipients_count", "messages"), total("delivered"));
    assert_eq!(of_all("recipients_size", "bytes"), total("bytes delivered"));
    assert_eq!(of_all("deferred_detail", "attempts"), total("deferrals"));
    assert_eq!(of_all("bounced_detail", "recipients"), total("bounced"));
    assert_eq!(of_all("expired_detail", "recipients"), total("expired"));
    assert_eq!(of_all("rejected_detail", "refusals"), total("rejected"));
    assert_eq!(
        sum(&rows(&demo, &["reject_classes"]), "refusals"),
        total("rejected")
    );
    assert_eq!(
        sum(&rows(&demo, &["flow"]), "recipients"),
        total("delivered")
    );
    assert_eq!(
        of(&rows(&demo, &["delays"]), "stage", "total", "deliveries"),
        total("delivered")
    );
    let waiting = rows(&demo, &["qshape"]);
    let total = of(&waiting, "domain", "TOTAL", "total");
    assert_eq!(total, 6);
    assert_eq!(sum(&waiting, "total"), 2 * total);
    assert_eq!(sum(&rows(&demo, &["inflight"]), "recipients"), total);
    assert_eq!(rows(&demo, &["queue_now"]).len(), 6);
}

/// The committed run of a real Postfix: what its servers, bounces and queue said, never its log.
#[test]
fn totals_are_those_of_the_ground_truth() {
    let messages = crate::ground_truth::read_truth(Path::new("tests/ground_truth/demo.jsonl"));
    let rcpts = || {
        messages
            .iter()
            .filter_map(|m| m["rcpts"].as_array())
            .flatten()
    };
    let expected = |word: &str| rcpts().filter(|r| text(r, "expected") == word).count();
    let totals = rows(&demo(), &["totals"]);
    let total = |what| usize::try_from(of(&totals, "what", what, "number")).unwrap();
    assert_eq!(
        total("expired"),
        rcpts().filter(|r| text(r, "expected") == "expired").count()
    );
    assert_eq!(total("deleted"), expected("deleted"));
    // A notice that bounced is no recipient of the truth.
    assert_eq!(total("bounced"), expected("bounced") + 1);
    // Notices of bounces are mail as well, and not in the truth's recipients.
    assert!(total("delivered") >= expected("sent"));
}

/// A generated log in a database, and what its generator counted.
fn generated() -> Option<(Place, Value)> {
    let rig = shared("postfix-rig", "generator of logs")?;
    let place = Place::new();
    let (log, truth) = (place.path("g.log"), place.path("g.json"));
    let made = Command::new(rig.join("loggen"))
        .args([
            "--lines",
            "60000",
            "--rate",
            "0.7",
            "--start",
            "2026-11-19T12:00:00",
        ])
        .args(["--format", "rfc3339", "--out"])
        .arg(&log)
        .arg("--truth")
        .arg(&truth)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        crate::skip::skip("a generated log (loggen does not run)");
        return None;
    }
    place.succeed(&["ingest", "-q", log.to_str().unwrap()]);
    let truth = serde_json::from_str(&fs::read_to_string(truth).unwrap()).unwrap();
    Some((place, truth))
}

#[test]
fn a_generated_log_is_counted_as_its_generator_did() {
    let Some((place, truth)) = generated() else {
        return;
    };
    let count = |what: &str| int(&truth["counts"], what);
    let reject = |what: &str| int(&truth["rejects_by_reason"], what);
    let ask = |args: &[&str]| rows(&place, args);
    let totals = ask(&["totals"]);
    let total = |what| of(&totals, "what", what, "number");
    let classes = ask(&["reject_classes"]);
    let class = |rule| of(&classes, "rule", rule, "refusals");
    let services = ask(&["totals_smtpd"]);
    let sessions = |service| of(&services, "service", service, "connections");
    let notices = count("bounce_notices");
    let lists = reject("rbl") + reject("postscreen-dnsbl");
    let screened = of(&ask(&["totals_postscreen"]), "host", "all", "connections");
    let failures = sum(&ask(&["auth_fail", "--top", "100000"]), "failures");
    let greylisted = of(&ask(&["greylist"]), "network", "all", "refusals");
    let waiting = of(&ask(&["qshape"]), "domain", "TOTAL", "total");
    let mut differences = Differences::default();
    for (what, truth, ours) in [
        ("received", count("messages"), total("received")),
        ("notices", notices, total("notices")),
        (
            "delivered",
            count("rcpt_sent") + notices,
            total("delivered"),
        ),
        ("bounced", count("rcpt_bounced"), total("bounced")),
        ("expired", count("rcpt_expired"), total("expired")),
        ("deferrals", count("lines_deferred"), total("deferrals")),
        ("bytes", count("bytes_accepted"), total("bytes received")),
        ("in the queue", count("rcpt_queued"), waiting),
        ("greylist", reject("greylist"), class("greylist")),
        ("helo", reject("helo-not-fqdn"), class("helo")),
        ("relay", reject("relay-denied"), class("relay")),
        (
            "unknown user",
            reject("user-unknown"),
            class("unknown_user"),
        ),
        (
            "unknown client",
            reject("no-reverse"),
            class("unknown_client"),
        ),
        ("milter", count("milter_rejects"), class("milter")),
        ("DNS lists", lists, sum(&ask(&["dnsbl"]), "refusals")),
        ("postscreen", count("connections_postscreen"), screened),
        (
            "smtpd",
            count("connections_smtpd"),
            sessions("all") - sessions("10025/smtpd"),
        ),
        ("failed logins", count("auth_failures"), failures),
        ("greylist, by outcome", reject("greylist"), greylisted),
    ] {
        differences.compare(what, truth, ours);
    }
    differences.none("loggen");
}

#[test]
fn the_queue_is_shown_as_it_was() {
    let place = Place::new();
    place.succeed(&[
        "ingest",
        "-q",
        "--year",
        "2026",
        "testlogs/stories/deferred_then_sent.log",
    ]);
    let times = place.select(
        "SELECT strftime(f.time, '%Y-%m-%d %H:%M:%S') AS arrived, strftime(t.first_time, '%Y-%m-%d %H:%M:%S') AS tried,
         strftime(f.removed + INTERVAL 1 SECOND, '%Y-%m-%d %H:%M:%S') AS gone
         FROM delivery_from f JOIN delivery_to t ON t.from_id = f.id",
    );
    let time = |column: &str| text(&times[0], column).to_owned();
    let waiting = |at: &str| {
        of(
            &rows(&place, &["qshape", "--at", at]),
            "domain",
            "TOTAL",
            "total",
        )
    };
    assert_eq!(waiting("2026-01-01"), 0);
    assert_eq!(waiting(&time("tried")), 1);
    assert_eq!(waiting(&time("gone")), 0);
    let state = rows(&place, &["queue_now", "--at", &time("tried")]);
    assert!(
        ["deferred", "active"].contains(&text(&state[0], "state")),
        "{state:?}"
    );
}

#[test]
fn what_would_have_been_refused_is_counted() {
    let place = Place::new();
    place.succeed(&[
        "ingest",
        "-q",
        "--year",
        "2026",
        "testlogs/stories/refusals.log",
    ]);
    let warned = rows(&place, &["reject_warnings", "--all"]);
    assert_eq!(sum(&warned, "number"), 1, "{warned:?}");
    assert!(text(&warned[0], "sample").contains("Recipient address rejected: test"));
    let refused = rows(&place, &["rejected_detail", "--all"]);
    assert!(
        refused
            .iter()
            .all(|row| !text(row, "reason").ends_with("rejected: test"))
    );
}

#[test]
fn days_and_hours_are_those_of_the_users_clock() {
    let demo = demo();
    let first = |args: &[&str], column: &str| {
        let rows = rows(&demo, args);
        rows.first().map(|row| text(row, column).to_owned())
    };
    let hour = |zone| first(&["traffic_hourly", "--timezone", zone], "hour");
    assert_eq!(hour("UTC").as_deref(), Some("2026-11-21 03:00"));
    assert_eq!(hour("Asia/Kolkata").as_deref(), Some("2026-11-21 08:00"));
    assert_eq!(hour("-03:30").as_deref(), Some("2026-11-20 23:00"));
    let day = |zone| first(&["traffic_daily", "--timezone", zone], "day");
    assert_eq!(day("America/Los_Angeles").as_deref(), Some("2026-11-20"));
    // Without the option it is the user's own.
    let output = demo
        .command(&["query", "traffic_daily", "-o", "json", "--now", NOW])
        .env("TZ", "America/Los_Angeles")
        .output()
        .unwrap();
    let row: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(text(&row, "day"), "2026-11-20");
}

#[test]
fn a_users_file_is_a_query_and_a_broken_one_harms_no_other() {
    let place = demo();
    let folder = place.path("config/maillog/queries");
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write(
        "mine.sql",
        "-- summary: mail to one address\n-- param: rcpt text! -- whose\n-- param: least count 1 -- at least\n\
         SELECT queue_id, '$no' AS word FROM delivery_to WHERE recipient = $rcpt AND attempts >= $least;\n",
    );
    write(
        "totals.sql",
        "-- summary: my own totals\nSELECT 42 AS answer\n",
    );
    write(
        "broken.sql",
        "-- summary: broken\n-- param: x int 1\nSELECT $x\n",
    );
    write(
        "writes.sql",
        "-- summary: writes\nDELETE FROM delivery_to\n",
    );
    let list = place.succeed(&["query"]);
    assert!(list.contains("own:\n"), "{list}");
    assert!(list.contains("broken: parameter x: unknown type"), "{list}");
    assert!(list.contains("my own totals"), "{list}");
    let mine = rows(&place, &["mine", "--rcpt", "hana.0402@ok.test"]);
    assert_eq!(mine.len(), 1);
    assert_eq!(text(&mine[0], "word"), "$no");
    assert_eq!(int(&rows(&place, &["totals"])[0], "answer"), 42);
    let missing = place.run(&["query", "mine"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("--rcpt"), "{}", missing.stderr);
    let help = place.succeed(&["query", "mine", "--help"]);
    assert!(
        help.contains("Mail to one address") && help.contains("--least"),
        "{help}"
    );
    let broken = place.run(&["query", "broken", "--x", "1"]);
    assert_eq!(broken.code, Some(2));
    assert!(
        broken.stderr.contains("broken.sql: parameter x"),
        "{}",
        broken.stderr
    );
    let writes = place.run(&["query", "writes"]);
    assert_eq!(writes.code, Some(2));
    assert!(place.number("SELECT count(*) FROM delivery_to") > 0);
}
