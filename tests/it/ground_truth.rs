//! Real Postfix with known outcomes: every recipient, refusal and count equals what the tables say.
//!
//! The truth comes from the rig's own servers, from bounce messages and from the queue, never from the log. The
//! committed run (testlogs/demo) is always compared; a fresh one where root, Postfix and `../shared/postfix-rig` are.

use crate::program::{Differences, Place, int, say, shared, text};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;

/// The tables as the comparison needs them.
struct Tables {
    messages: Vec<Value>,
    /// Recipients by the id of their message.
    recipients: HashMap<i64, Vec<Value>>,
    refusals: Vec<Value>,
}

impl Tables {
    fn read(place: &Place) -> Self {
        let mut recipients: HashMap<i64, Vec<Value>> = HashMap::new();
        for row in place
            .select("SELECT from_id, recipient, orig_to, status, attempts, agent FROM delivery_to")
        {
            recipients
                .entry(int(&row, "from_id"))
                .or_default()
                .push(row);
        }
        Self {
            messages: place.select(
                "SELECT id, root_id, parent_id, parent_link, host, queue_id, trim(message_id, '<>') AS message_id, sender,
                 client_name, client_address, sasl_username, origin, status, removed IS NULL AS is_open FROM delivery_from",
            ),
            recipients,
            refusals: place.select(
                "SELECT queue_id, action, protocol_state, client_address, sender, recipient, reply_code, count FROM noqueue",
            ),
        }
    }

    /// Finds the first hop of a message of the truth.
    fn first_hop(&self, message: &Value) -> Option<&Value> {
        let by_id = |row: &&Value| {
            text(row, "queue_id") == text(message, "qid") && text(row, "host") == "mx1"
        };
        let message_id = text(message, "message_id").trim_matches(['<', '>']);
        let by_message_id = |row: &&Value| text(row, "message_id") == message_id && is_first(row);
        if message.get("qid").is_some_and(Value::is_string) {
            self.messages.iter().find(by_id)
        } else {
            self.messages.iter().find(by_message_id)
        }
    }

    fn chain<'a>(&'a self, first: &'a Value) -> impl Iterator<Item = &'a Value> {
        let root = int(first, "id");
        self.messages
            .iter()
            .filter(move |row| int(row, "root_id") == root)
    }

    /// Recipients of a chain whose fate was decided at their hop, with the word for it.
    fn fates(&self, first: &Value) -> Vec<(&str, &str)> {
        let rows = self
            .chain(first)
            .filter_map(|row| self.recipients.get(&int(row, "id")));
        let fates = rows
            .flatten()
            .map(|row| (text(row, "recipient"), text(row, "status")));
        let mut fates: Vec<_> = fates
            .filter(|(_, word)| !["filtered", "relayed", "forwarded", "requeued"].contains(word))
            .collect();
        fates.sort_unstable();
        fates
    }
}

fn is_first(row: &Value) -> bool {
    int(row, "id") == int(row, "root_id")
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Reads the rig's truth; single bytes that are not UTF-8 stand there as lone surrogates, which no string may hold.
pub(crate) fn read_truth(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lone =
        regex::Regex::new(r"(\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\udc[89a-f][0-9a-f]")
            .unwrap();
    let text = lone.replace_all(&text, |found: &regex::Captures<'_>| {
        found
            .get(1)
            .map_or("\\ufffd", |pair| pair.as_str())
            .to_owned()
    });
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Compares one message: its hops, its recipients, its bounce notices, who sent it.
fn compare_message(tables: &Tables, message: &Value, differences: &mut Differences) {
    let case = format!("{} {}", text(message, "case"), text(message, "message_id"));
    let Some(first) = tables.first_hop(message) else {
        differences.note(format!("{case}: no such message in the tables"));
        return;
    };
    let mut expected = Vec::new();
    for recipient in array(message, "rcpts") {
        let address = text(recipient, "final");
        match text(recipient, "expected") {
            "rejected" => compare_rejected(tables, message, recipient, first, differences),
            // Other lines than delivery records tell these fates, so their recipients may be unknown to the log.
            word @ ("held" | "deleted" | "discarded") => {
                differences.compare(
                    &format!("{case}: message status"),
                    word,
                    text(first, "status"),
                );
            }
            // The transport `discard` drops on purpose what the rig counts as sent.
            "sent" if text(message, "case") == "discard-transport" => {
                expected.push((address, "discarded"));
            }
            word => expected.push((address, word)),
        }
    }
    expected.sort_unstable();
    let told = ["held", "deleted", "discarded", "rejected"];
    let by_message = told.contains(&text(first, "status"));
    let fates = tables.fates(first);
    let fates = fates
        .into_iter()
        .filter(|(_, word)| !(by_message && (told.contains(word) || *word == "deferred")));
    differences.compare(&format!("{case}: recipients"), expected, fates.collect());
    differences.compare(
        &format!("{case}: first hop is the root"),
        true,
        is_first(first),
    );
    for hop in array(message, "queue_ids") {
        let id = hop.get(1).and_then(Value::as_str).unwrap_or_default();
        let is_known = tables.chain(first).any(|row| text(row, "queue_id") == id);
        differences.compare(&format!("{case}: hop {id} in the chain"), true, is_known);
    }
    compare_sender(message, first, &case, differences);
    let chain: Vec<i64> = tables.chain(first).map(|row| int(row, "id")).collect();
    let notices = tables.messages.iter().filter(|row| {
        text(row, "parent_link") == "bounce" && chain.contains(&int(row, "parent_id"))
    });
    // This notice bounced itself, so the rig never received it.
    let lost = usize::from(text(message, "case") == "bounce-bounces");
    let truth = array(message, "bounce_notices").len() + lost;
    differences.compare(&format!("{case}: bounce notices"), truth, notices.count());
}

fn compare_sender(message: &Value, first: &Value, case: &str, differences: &mut Differences) {
    // Mail that never reached the queue manager has its sender only in lines that name it by chance.
    if first["sender"].is_string() || text(first, "status") == "done" {
        let sender = text(first, "sender");
        differences.compare(
            &format!("{case}: sender"),
            text(message, "env_from"),
            sender,
        );
    }
    // Only these servers of the rig are told the made-up client (XCLIENT, HAProxy protocol).
    if let ("mx-x" | "ps", Some(address)) = (
        text(message, "via"),
        message.pointer("/client/addr").and_then(Value::as_str),
    ) {
        let ours = text(first, "client_address");
        differences.compare(&format!("{case}: client"), address, ours);
    }
    let user = text(message, "sasl_username");
    let ours = text(first, "sasl_username");
    differences.compare(&format!("{case}: sasl_username"), user, ours);
}

/// A refused recipient, or a message refused as a whole, has a row with the code of the answer.
fn compare_rejected(
    tables: &Tables,
    message: &Value,
    recipient: &Value,
    first: &Value,
    differences: &mut Differences,
) {
    let case = format!(
        "{} refusal of {}",
        text(message, "case"),
        text(recipient, "final")
    );
    let found = tables.refusals.iter().filter(|row| {
        text(row, "recipient") == text(recipient, "final")
            && text(row, "queue_id") == text(first, "queue_id")
    });
    differences.compare(&case, 1, found.map(|row| int(row, "count")).sum());
}

/// Every RCPT command that the rig saw refused has its row, and there is no further one.
fn compare_refusals(tables: &Tables, truth: &[Value], differences: &mut Differences) {
    let mut expected: BTreeMap<(String, i64), i64> = BTreeMap::new();
    for session in truth.iter().filter(|t| text(t, "kind") == "refused") {
        for reply in array(session, "replies") {
            let (command, said) = (text(reply, "cmd"), text(reply, "text"));
            // These two are warnings in the log: not a refusal of the recipient.
            let is_logged = !said.contains("syntax") && !said.contains("too many errors");
            if let Some(address) = command
                .strip_prefix("RCPT TO:")
                .filter(|_| int(reply, "code") >= 400 && is_logged)
            {
                let address = address.trim_matches(['<', '>']).to_owned();
                *expected.entry((address, int(reply, "code"))).or_default() += 1;
            }
        }
    }
    for message in truth.iter().filter(|t| text(t, "case") == "partly-refused") {
        for recipient in array(message, "rcpts")
            .iter()
            .filter(|r| text(r, "expected") == "rejected")
        {
            *expected
                .entry((text(recipient, "final").to_owned(), 550))
                .or_default() += 1;
        }
    }
    let mut ours: BTreeMap<(String, i64), i64> = BTreeMap::new();
    for row in &tables.refusals {
        if text(row, "protocol_state") == "RCPT" && text(row, "action") == "reject" {
            *ours
                .entry((text(row, "recipient").to_owned(), int(row, "reply_code")))
                .or_default() += int(row, "count");
        }
    }
    differences.compare("refused RCPT commands", expected, ours);
}

/// Totals over the whole run.
fn compare_totals(
    place: &Place,
    tables: &Tables,
    truth: &[Value],
    log: &str,
    differences: &mut Differences,
) {
    let messages: Vec<&Value> = truth
        .iter()
        .filter(|t| text(t, "kind") == "message")
        .collect();
    let is_refused = |m: &Value| {
        array(m, "rcpts")
            .iter()
            .all(|r| text(r, "expected") == "rejected")
    };
    let accepted = messages.iter().filter(|m| !is_refused(m)).count();
    let ours = tables.messages.iter().filter(|row| {
        let is_ours = is_first(row) && ["smtpd", "pickup"].contains(&text(row, "origin"));
        is_ours && !["receiving", "canceled", "rejected", "unknown"].contains(&text(row, "status"))
    });
    differences.compare("messages accepted", accepted, ours.count());
    let remains = |m: &Value| {
        array(m, "rcpts")
            .iter()
            .any(|r| ["held", "deferred"].contains(&text(r, "expected")))
    };
    let open = tables.messages.iter().filter(|row| row["is_open"] == true);
    let open = open
        .filter(|row| ["queued", "held"].contains(&text(row, "status")))
        .count();
    differences.compare(
        "left in the queue",
        messages.iter().filter(|m| remains(m)).count(),
        open,
    );
    let records =
        regex::Regex::new(r"(?m): to=<.*, dsn=\d\.\d+\.\d+, status=(sent|deferred|bounced) \(")
            .unwrap();
    let attempts = place.number("SELECT count(*) FROM attempt");
    differences.compare(
        "delivery records",
        i64::try_from(records.find_iter(log).count()).unwrap(),
        attempts,
    );
    let strange = place.number("SELECT sum(not_understood)::BIGINT FROM coverage");
    differences.compare("lines not understood", 0, strange);
    let lines = i64::try_from(log.lines().count()).unwrap();
    differences.compare(
        "lines",
        lines,
        place.number("SELECT sum(lines)::BIGINT FROM coverage"),
    );
}

fn compare(place: &Place, truth: &[Value], log: &str, of: &str) {
    let tables = Tables::read(place);
    let mut differences = Differences::default();
    let messages: Vec<&Value> = truth
        .iter()
        .filter(|t| text(t, "kind") == "message")
        .collect();
    for message in &messages {
        compare_message(&tables, message, &mut differences);
    }
    compare_refusals(&tables, truth, &mut differences);
    compare_totals(place, &tables, truth, log, &mut differences);
    differences.none(of);
    let recipients: usize = messages.iter().map(|m| array(m, "rcpts").len()).sum();
    say(&format!(
        "ground truth, {of}: {} messages, {recipients} recipients, {} refused sessions as the rig saw them",
        messages.len(),
        truth.len() - messages.len()
    ));
}

#[test]
fn committed_run_equals_its_ground_truth() {
    let place = Place::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Oldest last: the order of the arguments must not matter.
    place.succeed(&[
        "ingest",
        "--json",
        "testlogs/demo/mail.log",
        "testlogs/demo/mail.log.2.gz",
        "testlogs/demo/mail.log.1",
    ]);
    let mut log = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::GzDecoder::new(
            std::fs::File::open(root.join("testlogs/demo/mail.log.2.gz")).unwrap(),
        ),
        &mut log,
    )
    .unwrap();
    for name in ["mail.log.1", "mail.log"] {
        let bytes = std::fs::read(root.join("testlogs/demo").join(name)).unwrap();
        log.push_str(&String::from_utf8_lossy(&bytes));
    }
    compare(
        &place,
        &read_truth(&root.join("tests/ground_truth/demo.jsonl")),
        &log,
        "testlogs/demo",
    );
}

#[test]
fn fresh_run_equals_its_ground_truth() {
    let Some(rig) = shared("postfix-rig", "ground truth, fresh run") else {
        return;
    };
    let found = |program: &str| {
        Command::new(program)
            .arg("-h")
            .arg("mail_version")
            .output()
            .is_ok()
    };
    if !nix::unistd::geteuid().is_root() || !found("postconf") {
        crate::skip::skip(
            "ground truth, fresh run (needs root and Postfix: scripts/setup --with-postfix)",
        );
        return;
    }
    let place = Place::new();
    // Postfix drops its privileges, so its directory must be open to all.
    std::fs::set_permissions(
        place.path(""),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let directory = place.path("rig");
    run_rig(&rig, &directory);
    let results = directory.join("results");
    let log = results.join("mail.log");
    place.succeed(&["ingest", "--json", log.to_str().unwrap()]);
    let log = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    compare(
        &place,
        &read_truth(&results.join("truth.jsonl")),
        &log,
        "fresh rig run",
    );
}

/// Runs the rig until its mail went as it planned.
///
/// Its plan counts on time: mail expires after twelve seconds, servers stall for one. Where the machine is busy, mail
/// ends otherwise than planned; the rig sees that itself (status 1) and its truth is none. So it may try three times.
fn run_rig(rig: &Path, directory: &Path) {
    let mut disagreements = String::new();
    for round in 0..3 {
        // Below the ports that Linux gives to clients; two test runs on one machine must not share them.
        let base = 20_000 + (std::process::id() + 200 * round) % 600 * 20;
        let output = Command::new(rig.join("rig"))
            .arg("run")
            .arg(directory)
            .args(["--base-port", &base.to_string()])
            .args(["--seed", &(std::process::id() + round).to_string()])
            .output()
            .unwrap();
        match output.status.code() {
            Some(0) => return,
            Some(1) => {
                let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
                disagreements = summary.get("disagreements").map(Value::to_string).unwrap();
                say(&format!("rig: not as planned: {disagreements}"));
            }
            status => panic!(
                "rig: {status:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    }
    panic!("rig: three runs went otherwise than planned, the last: {disagreements}");
}
