//! Lines with expected fields from public test suites: what `maillog parse` says of them.
//!
//! whyscream/postfix-grok-patterns names fields of 191 lines, fail2ban the time and client of its lines. Their names are
//! not ours and they split some texts further than we do; what we deliberately keep together is listed here.

use crate::program::{Differences, Place, say, shared, text};
use serde_json::Value;
use std::path::Path;

/// Their name, our names. Fields without an entry are parts of texts that we keep whole, or of lines that we ignore.
const NAMES: &[(&str, &[&str])] = &[
    ("postfix_queueid", &["queue_id"]),
    ("postfix_client_ip", &["client_address"]),
    ("postfix_client_hostname", &["client_name"]),
    ("postfix_client_port", &["client_port"]),
    ("postfix_relay_hostname", &["relay_name", "client_name"]),
    ("postfix_relay_ip", &["relay_address", "client_address"]),
    ("postfix_relay_port", &["relay_port", "client_port"]),
    ("postfix_relay_service", &["relay_address"]),
    ("postfix_status", &["status"]),
    ("postfix_status_code", &["reply_code"]),
    ("postfix_status_code_enhanced", &["dsn"]),
    ("postfix_smtp_stage", &["protocol_state"]),
    ("postfix_proxy_smtp_stage", &["protocol_state"]),
    ("postfix_action", &["action"]),
    ("postfix_milter_result", &["action"]),
    ("postfix_from", &["sender"]),
    ("postfix_message-id", &["message_id"]),
    ("postfix_bounce_queueid", &["notice_queue_id"]),
    ("postfix_tls_version", &["protocol"]),
    ("postfix_tls_cipher", &["cipher"]),
    ("postfix_tls_trustlevel", &["trust"]),
    ("postfix_postsuper_summary_count", &["count"]),
];

/// Cases that no Postfix logs like that.
const NOT_POSTFIX: &[(&str, &str)] = &[
    ("local_0001", "addresses without <>"),
    ("local_0002", "addresses without <>"),
    ("relay_0001", "a part of a line"),
];

/// One expected field of a line.
struct Expected {
    case: String,
    name: String,
    value: String,
}

/// Reads the small part of YAML that the cases use.
fn scalar(text: &str) -> String {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        return inner.replace("\\\"", "\"").replace("\\\\", "\\");
    }
    if let Some(inner) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return inner.replace("''", "'");
    }
    text.to_owned()
}

/// Returns a log line for a case, with its number as pid, and what is expected of it.
fn case(path: &Path, number: usize) -> (String, Vec<Expected>) {
    let yaml = std::fs::read_to_string(path).unwrap();
    let field = |name: &str| {
        let mut lines = yaml.lines();
        lines.find_map(|line| line.strip_prefix(name)).map(scalar)
    };
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let pattern = field("pattern:").unwrap().to_lowercase();
    let program = pattern.split("postfix_").nth(1).unwrap_or("smtpd");
    let program = match program.split('}').next().unwrap_or_default() {
        "command_counter_data" => "smtpd",
        "tls_features" | "delays" | "relay" => "smtp",
        "trivial_rewrite" => "trivial-rewrite",
        "script" => "postfix-script",
        other => other,
    };
    let line = format!(
        "Jan  1 00:00:00 mail postfix/{program}[{number}]: {}",
        field("data:").unwrap()
    );
    let fields = yaml
        .lines()
        .skip_while(|line| !line.starts_with("results:"))
        .skip(1);
    let fields = fields.filter_map(|line| line.trim().split_once(": "));
    let expected = fields.map(|(key, value)| Expected {
        case: name.clone(),
        name: key.to_owned(),
        value: scalar(value),
    });
    (line, expected.collect())
}

/// Runs `maillog parse` over the lines and returns what it says by pid.
fn understood(lines: &str, year: &str) -> Vec<Value> {
    let place = Place::new();
    let file = place.path("lines.log");
    std::fs::write(&file, lines).unwrap();
    let output = place.succeed(&[
        "parse",
        "--year",
        year,
        "-o",
        "json",
        file.to_str().unwrap(),
    ]);
    output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Whether one of our fields has the value, as text or as number.
fn agrees(event: &Value, names: &[&str], value: &str) -> bool {
    names.iter().any(|name| match event.get(name) {
        Some(Value::String(ours)) => {
            let ours = ours.trim_matches(['<', '>']);
            // They count the milter apart from what it did.
            ours == value.trim_matches(['<', '>']) || ours.strip_prefix("milter-") == Some(value)
        }
        Some(ours) => ours.as_i64().is_some_and(|ours| value.parse() == Ok(ours)),
        // NOQUEUE is no queue id.
        None => value == "NOQUEUE",
    })
}

/// Whether we keep the text with the field as a whole: it decides nothing.
fn is_kept_whole(event: &Value, field: &str) -> bool {
    match text(event, "kind") {
        "ignored" | "foreign" | "problem" | "note" | "master" | "attempt_note" => true,
        "postscreen" | "refusal" => field == "postfix_smtp_stage",
        _ => false,
    }
}

#[test]
fn expected_fields_of_public_cases_agree() {
    let Some(directory) = shared("testlogs/whyscream", "cases with expected fields") else {
        return;
    };
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.sort();
    let cases: Vec<_> = paths
        .iter()
        .enumerate()
        .map(|(i, path)| case(path, i + 1))
        .collect();
    let lines: Vec<&str> = cases.iter().map(|(line, _)| line.as_str()).collect();
    let events = understood(&(lines.join("\n") + "\n"), "2026");
    let (mut agreed, mut kept_whole) = (0, 0);
    let mut differences = Differences::default();
    for (number, (_, expected)) in cases.iter().enumerate() {
        let event = events
            .iter()
            .find(|e| e["pid"] == number + 1)
            .unwrap_or(&Value::Null);
        for field in expected {
            let names = NAMES.iter().find(|(theirs, _)| *theirs == field.name);
            match names {
                Some((_, ours)) if agrees(event, ours, &field.value) => agreed += 1,
                Some(_) if !is_kept_whole(event, &field.name) => {
                    if NOT_POSTFIX.iter().any(|(case, _)| *case == field.case) {
                        kept_whole += 1;
                        continue;
                    }
                    differences.note(format!(
                        "{}: {} = {:?} is not in {event}",
                        field.case, field.name, field.value
                    ));
                }
                _ => kept_whole += 1,
            }
        }
    }
    say(&format!(
        "public cases: {} lines, {agreed} fields agree, {kept_whole} are parts of texts kept whole",
        cases.len()
    ));
    differences.none("testlogs/whyscream");
    assert!(agreed > 300);
}

#[test]
fn clients_of_fail2ban_cases_agree() {
    let Some(directory) = shared("testlogs/fail2ban", "fail2ban cases") else {
        return;
    };
    let log = std::fs::read_to_string(directory.join("postfix")).unwrap();
    let mut expected = Vec::new();
    let mut lines = String::new();
    let mut pending = None;
    for line in log.lines() {
        if let Some(json) = line.strip_prefix("# failJSON: ") {
            pending = serde_json::from_str::<Value>(json).ok();
        } else if !line.starts_with('#')
            && !line.is_empty()
            && let Some(case) = pending.take()
        {
            lines.push_str(line);
            lines.push('\n');
            expected.push((case, line));
        }
    }
    let events = understood(&lines, "2005");
    assert_eq!(events.len(), expected.len());
    let (mut agreed, mut differ) = (0, Vec::new());
    for (event, (case, line)) in events.iter().zip(&expected) {
        if case["match"] == true {
            if text(event, "client_address") == text(case, "host") {
                agreed += 1;
            } else if !line.contains("does not resolve to address") {
                // That warning is about DNS, no refusal; fail2ban counts it in its aggressive mode.
                differ.push(format!("{}: {line}\n    {event}", text(case, "host")));
            }
        }
    }
    assert_eq!(differ, Vec::<String>::new());
    say(&format!("fail2ban cases: {agreed} clients agree"));
}
