//! The truth of the rig's example run and of its generator, where they are at hand.
#![expect(clippy::print_stdout, reason = "a test says what it found")]

use super::reader::Reader;
use super::stories::tables_of;
use super::tables::Tables;
use crate::correlate::{Correlator, Settings};
use crate::model::row::{DeliveryFrom, message_status, origin};
use crate::parse::parse;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const EXAMPLE: &str = "../shared/postfix-rig/example-run";

fn read(path: &str) -> Option<String> {
    let bytes = std::fs::read(Path::new(path)).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Single bytes stand as lone surrogates in the rig's JSON; our text has `U+FFFD` there.
fn json(line: &str) -> Value {
    let mut line = line.to_owned();
    while let Some(at) = line.find("\\udc") {
        line.replace_range(at..at + 6, "\u{fffd}");
    }
    serde_json::from_str(&line).unwrap()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The recipients at the ends of a chain: recipient, `orig_to`, status, and the states of its messages.
struct Chain<'a> {
    ends: Vec<(&'a str, Option<&'a str>, &'a str)>,
    messages: Vec<&'a DeliveryFrom>,
}

fn chain<'a>(tables: &'a Tables, queue_id: &str) -> Option<Chain<'a>> {
    let first = tables.from.values().find(|m| m.queue_id == queue_id)?;
    let messages: Vec<_> = tables
        .from
        .values()
        .filter(|m| m.root_id == first.root_id)
        .collect();
    let ends = messages
        .iter()
        .flat_map(|m| tables.recipients(m.id))
        .filter(|r| {
            !matches!(
                r.state.status.as_str(),
                "filtered" | "relayed" | "forwarded" | "requeued"
            )
        })
        .map(|r| {
            (
                r.recipient.as_str(),
                r.orig_to.as_deref(),
                r.state.status.as_str(),
            )
        })
        .collect();
    Some(Chain { ends, messages })
}

/// Tells what became of one recipient of the truth.
fn outcome(tables: &Tables, message: &Value, recipient: &Value) -> String {
    let (rcpt, last) = (word(&recipient["rcpt"]), word(&recipient["final"]));
    let same = |a: &str, b: &str| a.replace('"', "") == b.replace('"', "");
    let is_refused = tables
        .noqueues
        .values()
        .any(|n| n.recipient.as_deref().is_some_and(|r| same(r, rcpt)));
    let queue_id = message["qid"].as_str().map(str::to_owned);
    let of_message_id = || {
        let id = word(&message["message_id"]);
        let same = |m: &&DeliveryFrom| m.message_id.as_deref() == Some(id) && m.root_id == m.id;
        tables
            .from
            .values()
            .find(same)
            .map(|m| m.queue_id.to_string())
    };
    let chain = queue_id
        .or_else(of_message_id)
        .and_then(|id| chain(tables, &id));
    let Some(chain) = chain else {
        return if is_refused { "rejected" } else { "nothing" }.to_owned();
    };
    let ends = |is_wanted: &dyn Fn(&str, Option<&str>) -> bool| -> Vec<&str> {
        let wanted = chain
            .ends
            .iter()
            .filter(|(to, orig, _)| is_wanted(to, *orig));
        wanted.map(|(_, _, status)| *status).collect()
    };
    let mut found = ends(&|to, _| same(to, last));
    if found.is_empty() {
        found = ends(&|to, orig| same(to, rcpt) || orig.is_some_and(|o| same(o, rcpt)));
    }
    found.sort_unstable();
    found.dedup();
    let is_held = chain
        .messages
        .iter()
        .any(|m| m.status == message_status::HELD);
    let whole = chain.messages.iter().map(|m| m.status.as_str());
    match found.as_slice() {
        [] | ["deferred"] if is_held => "held".to_owned(),
        [] if is_refused => "rejected".to_owned(),
        [] => format!("message {}", whole.collect::<Vec<_>>().join(",")),
        [one] => (*one).to_owned(),
        more => more.join("+"),
    }
}

#[test]
fn every_recipient_of_the_example_run_has_its_outcome() {
    let (Some(log), Some(truth)) = (
        read(&format!("{EXAMPLE}/mail.log")),
        read(&format!("{EXAMPLE}/truth.jsonl")),
    ) else {
        return crate::skip::skip(&format!("no {EXAMPLE}"));
    };
    let tables = tables_of(&log, 2026);
    let mut wrong = Vec::new();
    let mut right = 0;
    for message in truth.lines().map(json).filter(|m| m["kind"] == "message") {
        for recipient in message["rcpts"].as_array().unwrap() {
            let got = outcome(&tables, &message, recipient);
            // Mail to the discard service is called sent there; its record tells more.
            let is_trash = message["case"] == "discard-transport" && got == "discarded";
            if got == word(&recipient["expected"]) || is_trash {
                right += 1;
            } else {
                wrong.push(format!(
                    "{} {} {recipient}: {got}",
                    message["case"], message["qid"]
                ));
            }
        }
    }
    println!("{right} recipients as the truth has them");
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn notices_of_the_example_run_are_linked() {
    let (Some(log), Some(truth)) = (
        read(&format!("{EXAMPLE}/mail.log")),
        read(&format!("{EXAMPLE}/truth.jsonl")),
    ) else {
        return crate::skip::skip(&format!("no {EXAMPLE}"));
    };
    let tables = tables_of(&log, 2026);
    let mut linked = 0;
    for message in truth.lines().map(json) {
        for notice in message["bounce_notices"].as_array().into_iter().flatten() {
            let queue_id = word(&notice["ids"][0][1]);
            let row = tables.from.values().find(|m| m.queue_id == queue_id);
            let row = row.unwrap_or_else(|| panic!("no message for {notice}"));
            let about = tables.from.get(&row.parent_id.unwrap()).unwrap();
            let root = tables.from.get(&about.root_id).unwrap();
            let is_named = message["qid"]
                .as_str()
                .is_some_and(|id| root.queue_id == id);
            let is_same = root.message_id.as_deref() == message["message_id"].as_str();
            assert!(is_named || is_same, "{notice} is linked to {root:?}");
            assert_eq!(row.origin, origin::BOUNCE);
            linked += 1;
        }
    }
    println!("{linked} notices lead to the message that they are about");
}

struct Counts {
    tables: Tables,
    spent: Duration,
    lines: u32,
    sessions: u64,
}

/// The time that this thread had a processor: others may be busy.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|n| n.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

fn counts(log: &str) -> Counts {
    let mut correlator = Correlator::new(Settings::default());
    let mut reader = Reader::new(2026);
    let mut tables = Tables::default();
    let mut spent = Duration::ZERO;
    let mut fed = Duration::ZERO;
    let mut lines = 0;
    let entries: Vec<_> = log.lines().filter_map(|l| reader.entry(l)).collect();
    for batch in entries.chunks(50_000) {
        let events: Vec<_> = batch.iter().map(parse).collect();
        let start = cpu_time();
        for (entry, event) in batch.iter().zip(&events) {
            correlator.feed(entry, event);
        }
        fed += cpu_time().saturating_sub(start);
        let changes = correlator.drain();
        spent += cpu_time().saturating_sub(start);
        lines += u32::try_from(batch.len()).unwrap();
        tables.apply(changes);
    }
    println!(
        "{:?} to feed, state {} bytes",
        fed / lines,
        tables.state.values().map(String::len).sum::<usize>()
    );
    let state: Value = serde_json::from_str(&tables.state["correlator"]).unwrap();
    let open = state["sessions"].as_array().unwrap();
    let sessions = open
        .iter()
        .map(|s| s[1].as_array().unwrap().len() as u64)
        .sum();
    Counts {
        tables,
        spent,
        lines,
        sessions,
    }
}

/// Counts the recipients at the ends of all chains that begin with mail, not with a notice.
fn ends(t: &Tables) -> BTreeMap<&str, u64> {
    let is_notice = |m: &DeliveryFrom| {
        t.from
            .get(&m.root_id)
            .is_some_and(|r| r.origin == origin::BOUNCE)
    };
    let mut ends = BTreeMap::new();
    for r in t.to.values() {
        if !is_notice(&t.from[&r.from_id]) {
            *ends.entry(r.state.status.as_str()).or_default() += 1;
        }
    }
    ends
}

/// Counts what the truth counts.
fn found(t: &Tables, sessions: u64) -> Vec<(&'static str, u64)> {
    let e = ends(t);
    println!("{e:?}");
    let end = |word: &str| e.get(word).copied().unwrap_or(0);
    let of = |service: &str| {
        t.connections
            .values()
            .filter(|c| c.service.ends_with(service))
            .count() as u64
    };
    let queued = |m: &&DeliveryFrom| m.size.is_some();
    let failed = t.auths.values().filter(|a| !a.ok).count() as u64;
    let rejected = t
        .noqueues
        .values()
        .filter(|n| n.action == "milter-reject")
        .count() as u64;
    let notices = t
        .from
        .values()
        .filter(|m| m.origin == origin::BOUNCE)
        .count() as u64;
    let refused = t.noqueues.values().filter(|n| n.action == "reject").count() as u64;
    vec![
        ("rejects", refused),
        (
            "queue_lifetimes",
            t.from.values().filter(queued).count() as u64,
        ),
        ("bounce_notices", notices),
        ("rcpt_sent", end("sent")),
        ("rcpt_bounced", end("bounced")),
        ("rcpt_expired", end("expired")),
        ("rcpt_queued", end("deferred")),
        ("milter_rejects", rejected),
        // The truth leaves out what comes back from the filter.
        (
            "connections",
            of("smtpd") + of("postscreen") + sessions - of("10025/smtpd"),
        ),
        ("auth_failures", failed),
    ]
}

/// `MAILLOG_LINES` lines of the rig's generator, some of everything.
#[test]
fn generated_log_has_the_counts_of_its_truth() {
    let place = tempfile::tempdir().unwrap();
    let (log, truth) = (place.path().join("log"), place.path().join("truth"));
    let lines = std::env::var("MAILLOG_LINES").unwrap_or("20000".to_owned());
    let generator = "../shared/postfix-rig/loggen";
    if !std::path::Path::new(generator).exists() {
        return crate::skip::skip(&format!("no {generator}"));
    }
    let made = std::process::Command::new(generator)
        .args(["--lines", &lines, "--out"])
        .arg(&log)
        .arg("--truth")
        .arg(&truth)
        .status()
        .unwrap();
    assert!(made.success(), "{generator} does not run");
    let log = std::fs::read_to_string(log).unwrap();
    let truth = std::fs::read_to_string(truth).unwrap();
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let Counts {
        tables: t,
        spent,
        lines,
        sessions,
    } = counts(&log);
    println!("{lines} lines, {:?} a line", spent / lines);
    let got = found(&t, sessions);
    let mut want = truth["counts"].clone();
    let number = |v: &Value| v.as_u64().unwrap();
    want["connections"] =
        (number(&want["connections_smtpd"]) + number(&want["connections_postscreen"])).into();
    let wrong: Vec<_> = got
        .iter()
        .map(|(name, n)| (*name, *n, want.get(*name).unwrap_or(&truth[*name]).as_u64()))
        .filter(|(_, n, w)| Some(*n) != *w)
        .collect();
    assert!(wrong.is_empty(), "name, got, want: {wrong:?}");
}
