//! Samples of others that say what a line should give: how far we agree, and why not where we do not.

#![expect(clippy::print_stderr, reason = "the counts are the result")]

use super::shared::{files, read, shared};
use super::{event, header};
use crate::model::event::{Direction, Event};
use serde_json::Value;
use std::collections::BTreeMap;

/// Returns a field of the event as text, as `maillog parse` prints it.
fn field(event: &Value, name: &str) -> Option<String> {
    match event.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn json(ident: &str, text: &str) -> Value {
    serde_json::to_value(event(ident, text)).unwrap()
}

mod whyscream {
    use super::*;

    /// One flat file: pattern, data and expected fields. Values are bare or in one of two quotes.
    struct Case {
        program: String,
        data: String,
        results: Vec<(String, String)>,
    }

    fn unquoted(value: &str) -> String {
        let value = value.trim();
        if let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
            return inner
                .replace("\\\"", "\"")
                .replace("\\r", "\r")
                .replace("\\n", "\n")
                .replace("\\t", "\t");
        }
        if let Some(inner) = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
            return inner.replace("''", "'");
        }
        value.to_owned()
    }

    fn case(text: &str) -> Option<Case> {
        let mut pattern = String::new();
        let mut data = String::new();
        let mut results = Vec::new();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(": ") else {
                continue;
            };
            match key {
                "pattern" => pattern = unquoted(value),
                "data" => data = unquoted(value),
                key if key.starts_with('#') => {}
                key => results.push((key.trim().to_owned(), unquoted(value))),
            }
        }
        let program = pattern
            .strip_prefix("^%{POSTFIX_")?
            .strip_suffix("}$")?
            .to_lowercase()
            .replace('_', "-");
        let program = match program.as_str() {
            "script" => "postfix-script",
            // Not lines but parts of lines: the delivery tests cover them.
            "command-counter-data" | "delays" | "relay" | "tls-features" | "keyvalue-data" => {
                return None;
            }
            program => program,
        };
        Some(Case {
            program: format!("postfix/{program}"),
            data,
            results,
        })
    }

    /// Their field, and ours that says the same word for word.
    const SAME: &[(&str, &str)] = &[
        ("postfix_bounce_queueid", "notice_queue_id"),
        ("postfix_client_hostname", "client_name"),
        ("postfix_client_ip", "client_address"),
        ("postfix_client_ip_unknown", "client_address"),
        ("postfix_client_port", "client_port"),
        ("postfix_action", "action"),
        ("postfix_smtp_stage", "protocol_state"),
        ("postfix_proxy_smtp_stage", "protocol_state"),
        ("postfix_status_code", "reply_code"),
        ("postfix_status_code_enhanced", "dsn"),
        ("postfix_proxy_status_code", "reply_code"),
        ("postfix_proxy_status_code_enhanced", "dsn"),
        ("postfix_status", "status"),
        ("postfix_smtp_response", "reason"),
        ("postfix_pipe_response", "reason"),
        ("postfix_local_response", "reason"),
        ("postfix_error_response", "reason"),
        ("postfix_tls_trustlevel", "trust"),
        ("postfix_tls_version", "protocol"),
        ("postfix_tls_cipher", "cipher"),
        ("postfix_postscreen_access", "action"),
        ("postfix_postscreen_violation", "action"),
        ("postfix_postsuper_summary_action", "action"),
        ("postfix_postsuper_summary_count", "count"),
        ("postfix_version", "version"),
        ("postfix_message_level", "level"),
        ("postfix_from", "sender"),
        ("postfix_command_counter_data", "commands"),
    ];

    /// Whole lines where we differ, told by program and beginning, and why.
    const EXPLAINED: &[(&str, &str, &str)] = &[
        ("anvil", "", "statistics have no bearing on mail"),
        (
            "dnsblog",
            "",
            "what dnsblog saw is decided by postscreen's own lines",
        ),
        (
            "tlsproxy",
            "",
            "sessions of tlsproxy are postscreen's, which logs them too",
        ),
        (
            "smtp",
            "certificate verification failed",
            "TLS details are not kept",
        ),
        (
            "qmgr",
            "ED06590130AA1C9D6D862: skipped",
            "no bearing on mail",
        ),
        (
            "local",
            "2A22C263F6: to=user@",
            "no release of Postfix prints a recipient without brackets",
        ),
        (
            "local",
            "892A0205B6: to=ghds",
            "no release of Postfix prints a recipient without brackets",
        ),
    ];

    /// Their fields that we do not keep, and why.
    const NOT_KEPT: &[(&str, &str)] = &[
        ("postfix_anvil_", "statistics have no bearing on mail"),
        ("postfix_scache_", "statistics have no bearing on mail"),
        (
            "postfix_verify_",
            "cache statistics have no bearing on mail",
        ),
        (
            "postfix_postscreen_cache_",
            "cache statistics have no bearing on mail",
        ),
        (
            "postfix_postscreen_violation_time",
            "seconds until a violation are not kept",
        ),
        (
            "postfix_postscreen_dnsbl_rank",
            "the rank is not kept, the rule is",
        ),
        ("postfix_postscreen_toobusy_data", "part of reason"),
        (
            "postfix_dnsbl_",
            "what dnsblog saw is decided by postscreen's own lines",
        ),
        ("postfix_discarded_ehlo_keywords", "no bearing on mail"),
        (
            "postfix_server_",
            "the address that was connected to is not kept",
        ),
        (
            "postfix_tls_",
            "details of the TLS session beyond protocol and cipher are not kept",
        ),
        ("postfix_requiretls", "kept whole in tls"),
        ("postfix_pix_workaround", "kept in the text of a note"),
        ("postfix_config_path", "kept in the text"),
        ("postfix_termination_signal", "kept in the text"),
        (
            "postfix_service",
            "dnsblog and tlsproxy sessions are not kept, master names it in the text",
        ),
        ("postfix_cmd_", "kept whole in commands"),
        (
            "postfix_smtp_stage",
            "the command in front of a violation seen by postscreen is not kept",
        ),
    ];

    fn texts(event: &Value) -> String {
        let texts = ["reason", "text"];
        let texts = texts.iter().filter_map(|name| field(event, name));
        texts.collect::<Vec<_>>().join(" ")
    }

    fn agrees(case: &Case, event: &Value, key: &str, expected: &str) -> bool {
        let kind = field(event, "kind").unwrap_or_default();
        if let Some((_, ours)) = SAME.iter().find(|(theirs, _)| *theirs == key)
            && field(event, ours).as_deref() == Some(expected)
        {
            return true;
        }
        // Kinds of which we keep the text whole.
        if matches!(
            kind.as_str(),
            "attempt_note" | "problem" | "proxy_accept" | "refusal"
        ) && texts(event).contains(expected.trim_end())
        {
            return true;
        }
        says_the_same(event, &kind, key, expected)
            || case.data.contains(expected) && has_words(event, &kind, key, expected)
    }

    /// Fields that hold text: abnormal ends say it as kind, check lines have the words in their own fields.
    fn has_words(event: &Value, kind: &str, key: &str, expected: &str) -> bool {
        let is_text = matches!(
            key,
            "postfix_message"
                | "postfix_status_data"
                | "postfix_status_message"
                | "postfix_proxy_message"
                | "postfix_smtp_lostconn_data"
                | "postfix_smtp_lostconn_reason"
                | "postfix_smtpd_lostconn_data"
                | "postfix_milter_message"
                | "postfix_milter_data"
                | "postfix_prepend_type"
                | "postfix_prepend_trigger"
                | "postfix_prepend_value"
        );
        is_text
            && (texts(event).contains(expected)
                || matches!(
                    kind,
                    "abort" | "content" | "policy" | "auth_failure" | "removed"
                ))
    }

    /// The same said in other words.
    fn says_the_same(event: &Value, kind: &str, key: &str, expected: &str) -> bool {
        match key {
            "postfix_queueid" => match expected {
                "NOQUEUE" => field(event, "queue_id").is_none(),
                id => field(event, "queue_id").as_deref() == Some(id),
            },
            "postfix_message-id" => {
                let ours = field(event, "message_id").unwrap_or_default();
                ours.trim_matches(['<', '>']) == expected
            }
            // Of a check line the level is the action; the line itself is always of level info.
            "postfix_message_level" => field(event, "action").as_deref() == Some(expected),
            "postfix_bounce_reason" => {
                field(event, "notice") == Some(expected.replace([' ', '-'], "_"))
            }
            "postfix_bounce_recipient" => {
                (expected == "postmaster") == field(event, "to_postmaster").is_some()
            }
            "postfix_postsuper_action" => {
                let ours = match field(event, "action").as_deref() {
                    Some("held") => "placed on hold",
                    Some("released") => "released from hold",
                    Some("requeued") => "requeued",
                    _ if kind == "removed" => "removed",
                    _ => "",
                };
                ours == expected
            }
            "postfix_proxy_result" => {
                kind == "proxy_accept" && expected == "accept"
                    || field(event, "action") == Some(format!("proxy-{expected}"))
            }
            "postfix_milter_result" => field(event, "action") == Some(format!("milter-{expected}")),
            "postfix_relay_hostname" | "postfix_relay_ip" | "postfix_relay_service" => {
                let ours = [
                    "client_name",
                    "client_address",
                    "relay",
                    "relay_name",
                    "relay_address",
                ];
                ours.iter()
                    .any(|name| field(event, name).as_deref() == Some(expected))
                    || texts(event).contains(expected)
            }
            "postfix_relay_port" => {
                field(event, "client_port").as_deref() == Some(expected)
                    || texts(event).contains(&format!(":{expected}"))
            }
            "postfix_postscreen_violation" => {
                field(event, "action") == Some(format!("{expected} rank"))
            }
            "postfix_keyvalue_data" => key_values(event, expected),
            _ => false,
        }
    }

    /// Compares `from=<a> to=<b>, relay=x` with our fields.
    fn key_values(event: &Value, text: &str) -> bool {
        const NAMES: &[(&str, &str)] = &[
            ("from", "sender"),
            ("to", "recipient"),
            ("proto", "protocol_name"),
            ("helo", "helo_name"),
            ("status", "status"),
            ("uid", "uid"),
            ("size", "size"),
            ("nrcpt", "nrcpt"),
        ];
        text.trim_end_matches(',')
            .split(' ')
            .map(|pair| pair.trim_end_matches(','))
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| !matches!(*key, "delays" | "client" | "id" | "delay"))
            .all(|(key, value)| {
                let value = value
                    .strip_prefix('<')
                    .map_or(value, |v| v.trim_end_matches('>'));
                let ours = NAMES
                    .iter()
                    .find(|(theirs, _)| *theirs == key)
                    .map_or(key, |(_, ours)| ours);
                field(event, ours).as_deref() == Some(value)
            })
    }

    #[test]
    fn whyscream_cases_agree() {
        let Some(root) = shared("testlogs/whyscream") else {
            return;
        };
        let mut paths = Vec::new();
        files(&root, &mut paths);
        let (mut cases, mut same, mut not_kept) = (0, 0, BTreeMap::<&str, usize>::new());
        let mut differences = Vec::new();
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        {
            let Some(case) = case(&read(path)) else {
                continue;
            };
            cases += 1;
            let event = json(&case.program, &case.data);
            let explained = EXPLAINED.iter().find(|(program, start, _)| {
                case.program.ends_with(&format!("/{program}")) && case.data.starts_with(start)
            });
            for (key, expected) in &case.results {
                if agrees(&case, &event, key, expected) {
                    same += 1;
                } else if let Some((_, _, why)) = explained {
                    *not_kept.entry(why).or_default() += 1;
                } else if let Some((_, why)) =
                    NOT_KEPT.iter().find(|(start, _)| key.starts_with(start))
                {
                    *not_kept.entry(why).or_default() += 1;
                } else {
                    differences.push(format!("{}: {key}={expected}: {event}", path.display()));
                }
            }
        }
        eprintln!("whyscream: {cases} lines, {same} fields agree, not kept: {not_kept:#?}");
        for difference in &differences {
            eprintln!("{difference}");
        }
        assert!(cases > 150);
        assert_eq!(differences.len(), 0);
    }
}

/// fail2ban: the host in `# failJSON:` is the client of the line below it.
#[test]
fn fail2ban_hosts_are_the_clients() {
    let Some(path) = shared("testlogs/fail2ban/postfix") else {
        return;
    };
    let text = read(&path);
    let mut expected: Option<Value> = None;
    let mut kinds = BTreeMap::<String, usize>::new();
    let mut differences = Vec::new();
    for line in text.lines() {
        if let Some(found) = line.strip_prefix("# failJSON: ") {
            expected = serde_json::from_str(found).ok();
            continue;
        }
        let Some(case) = expected.take_if(|_| !line.starts_with('#') && !line.is_empty()) else {
            continue;
        };
        if case["match"] != Value::Bool(true) {
            continue;
        }
        let (ident, text) = header(line).unwrap();
        let event = json(ident, text);
        let kind = field(&event, "kind").unwrap();
        if field(&event, "client_address").as_deref() == case["host"].as_str() {
            *kinds.entry(kind).or_default() += 1;
        } else {
            differences.push(text.to_owned());
        }
    }
    eprintln!("fail2ban: {kinds:?}, differences {differences:#?}");
    // The client's name does not resolve: a problem without a refusal, and no client in brackets.
    assert!(
        differences
            .iter()
            .all(|text| text.contains("does not resolve to address"))
    );
    assert!(kinds["policy"] > 20 && kinds["auth_failure"] > 10);
}

/// Their fields and ours.
const CROWDSEC: &[(&str, &str)] = &[
    ("remote_addr", "client_address"),
    ("remote_host", "client_name"),
    ("port", "client_port"),
    ("action", "action"),
    ("smtp_basic_status_code", "reply_code"),
    ("smtp_enhanced_status_code", "dsn"),
    ("helo", "helo_name"),
    ("pregreet", "action"),
];

/// crowdsec: `results[stage][parser][n].Evt.Parsed["field"] == "value"`.
#[test]
fn crowdsec_fields_agree() {
    let Some(root) = shared("testlogs/crowdsec") else {
        return;
    };
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut same = 0;
    let mut differences = Vec::new();
    for path in paths.iter().filter(|path| path.ends_with("parser.assert")) {
        let mut groups = BTreeMap::<String, BTreeMap<String, String>>::new();
        for line in read(path).lines() {
            let Some((group, rest)) = line.split_once(".Evt.Parsed[\"") else {
                continue;
            };
            let Some((key, value)) = rest.split_once("\"] == \"") else {
                continue;
            };
            let value = value
                .trim_end_matches('"')
                .replace("\\\"", "\"")
                .replace("\\\\", "\\");
            groups
                .entry(group.to_owned())
                .or_default()
                .insert(key.to_owned(), value);
        }
        for parsed in groups.values() {
            let event = json(&parsed["program"], &parsed["message"]);
            for (theirs, ours) in CROWDSEC {
                let Some(expected) = parsed.get(*theirs) else {
                    continue;
                };
                // What they call helo is the quoted word at the left of the text, whatever it is.
                let reason = field(&event, "reason").unwrap_or_default();
                let is_quoted = *theirs == "helo" && reason.contains(&format!(" <{expected}>: "));
                if is_quoted || field(&event, ours).as_ref() == Some(expected) {
                    same += 1;
                } else {
                    differences.push(format!("{theirs}={expected}: {event}"));
                }
            }
        }
    }
    eprintln!("crowdsec: {same} fields agree, differences {differences:#?}");
    assert!(same > 30);
    assert_eq!(differences.len(), 0);
}

/// What we count. The exporter looks at `smtpd` without label only, so it misses the submission session: 1 instead of 2
/// connects and disconnects, 1 instead of 3 accepted messages (it does not count those with SASL).
const DIGINEO: &[(&str, f64)] = &[
    ("qmgr_removed", 34.0),
    ("qmgr_size", 939.0),
    ("qmgr_nrcpt", 1.0),
    ("cleanup_processed", 1.0),
    ("delivery_before", 0.88),
    ("delivery_queue", 2017.0),
    ("delivery_setup", 0.33),
    ("delivery_transmission", 0.57),
    ("smtp_tls", 3.0),
    ("smtpd_connects", 2.0),
    ("smtpd_disconnects", 2.0),
    ("smtpd_accepted", 3.0),
    ("smtpd_rejected", 1.0),
    ("smtpd_auth_failures", 1.0),
];

/// digineo: what a Prometheus exporter counted in the same lines, as far as it counts mail.
#[test]
fn digineo_counters_agree() {
    let Some(path) = shared("testlogs/digineo/mail.log") else {
        return;
    };
    let mut counts = BTreeMap::<&str, f64>::new();
    let mut add = |name, by| *counts.entry(name).or_default() += by;
    let text = read(&path);
    for (ident, text) in text.lines().filter_map(header) {
        if !ident.starts_with("postfix/") {
            continue;
        }
        match event(ident, text) {
            Event::Removed { .. } => add("qmgr_removed", 1.0),
            #[expect(clippy::cast_precision_loss, reason = "small sizes")]
            Event::Active { size, nrcpt, .. } => {
                add("qmgr_size", size as f64);
                add("qmgr_nrcpt", f64::from(nrcpt));
            }
            Event::MessageId { .. } => add("cleanup_processed", 1.0),
            Event::Delivery(delivery) => {
                add("delivery_before", delivery.delay_before_qmgr);
                add("delivery_queue", delivery.delay_in_qmgr);
                add("delivery_setup", delivery.delay_conn_setup);
                add("delivery_transmission", delivery.delay_transmission);
            }
            Event::Tls {
                direction: Direction::Outbound,
                ..
            } => add("smtp_tls", 1.0),
            Event::Connect { .. } => add("smtpd_connects", 1.0),
            Event::Disconnect { .. } => add("smtpd_disconnects", 1.0),
            Event::Accept { .. } => add("smtpd_accepted", 1.0),
            Event::Policy(_) => add("smtpd_rejected", 1.0),
            Event::AuthFailure { .. } => add("smtpd_auth_failures", 1.0),
            _ => {}
        }
    }
    for (name, value) in DIGINEO {
        let ours = counts.get(name).copied().unwrap_or_default();
        assert!(
            (ours - value).abs() < 1e-9,
            "{name}: {ours} instead of {value}"
        );
    }
    eprintln!("digineo: {} counters", DIGINEO.len());
}
