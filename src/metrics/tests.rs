use super::family::{FAMILIES, Kind};
use super::*;
use crate::model::time::Time;
use crate::model::zone::Zone;
use crate::parse;
use crate::source::{Chunk, Decoder, Hints, Options};

fn counted(log: &str, domains: &[String]) -> Vec<Count> {
    let mut tally = Tally::new(domains);
    let options = Options {
        zone: Zone::UTC,
        year: Some(2026),
        now: Time(1_795_514_400_000_000),
    };
    let mut decoder = Decoder::new(&options, Hints::default(), None);
    let chunk = Chunk {
        data: log.as_bytes().to_vec(),
        offset: 0,
        read: log.len() as u64,
        is_last: true,
    };
    let mut see = |entry: &crate::model::entry::Entry<'_>| tally.see(entry, &parse::parse(entry));
    decoder.decode(&chunk, &mut see);
    decoder.finish(&mut see);
    tally.take()
}

fn value(counts: &[Count], name: &str, labels: &str) -> f64 {
    let found = counts.iter().find(|c| c.name == name && c.labels == labels);
    found.map_or(0.0, |c| c.value)
}

const HEAD: &str = "Mar  4 10:20:11 mx postfix/";

#[test]
fn a_delivery_counts_by_agent_status_code_and_delay() {
    let log = format!(
        "{HEAD}smtp[9]: 64AB9120A53: to=<a@Example.COM>, relay=mx.example.com[192.0.2.1]:25, delay=30, delays=0.1/0.01/2.5/27, \
         tls=dane:halfdane, dsn=4.4.1, status=deferred (host said: 450 4.4.1 later)\n\
         {HEAD}virtual[9]: 64AB9120A53: to=<b@example.net>, relay=virtual, delay=1, delays=0.1/0/0/0.9, dsn=2.0.0, status=sent (delivered to maildir)\n\
         {HEAD}smtp[9]: connect to mx.example.com[198.51.100.7]:25: Connection timed out\n"
    );
    let counts = counted(&log, &["example.com".to_owned()]);
    let is = |name, labels, expected: f64| {
        assert!(
            (value(&counts, name, labels) - expected).abs() < 1e-9,
            "{name}: {counts:#?}"
        );
    };
    is(
        "postfix_deliveries_total",
        r#"agent="smtp",direction="outbound",status="deferred""#,
        1.0,
    );
    is(
        "postfix_deliveries_total",
        r#"agent="virtual",direction="inbound",status="sent""#,
        1.0,
    );
    is(
        "postfix_smtp_messages_processed_total",
        r#"status="deferred""#,
        1.0,
    );
    is(
        "postfix_smtp_deferred_messages_by_dsn_total",
        r#"dsn="4.4.1""#,
        1.0,
    );
    is("postfix_virtual_delivered_total", "", 1.0);
    is("postfix_smtp_connection_timed_out_total", "", 1.0);
    is(
        "postfix_smtp_delivery_delay_seconds_bucket",
        r#"stage="connection_setup",le="10""#,
        1.0,
    );
    is(
        "postfix_smtp_delivery_delay_seconds_sum",
        r#"stage="transmission""#,
        27.0,
    );
    is(
        "postfix_destination_deliveries_total",
        r#"domain="example.com",status="deferred""#,
        1.0,
    );
    is(
        "postfix_destination_deliveries_total",
        r#"domain="other",status="sent""#,
        1.0,
    );
    is(
        "postfix_tls_deliveries_total",
        r#"level="dane",downgrade="halfdane""#,
        1.0,
    );
}

#[test]
fn what_strangers_choose_is_no_label() {
    let log = format!(
        "{HEAD}smtpd[9]: warning: unknown[192.0.2.7]: SASL \"}},evil{{\" authentication failed: x\n\
         {HEAD}smtpd[9]: Anonymous TLS connection established from unknown[192.0.2.7]: TLSv1.3 with cipher A\"B{{}} (256/256 bits)\n"
    );
    for count in counted(&log, &[]) {
        for (_, value) in label::split(&count.labels) {
            assert!(value.is_empty() || label::word(value) == value, "{count:?}");
            assert!(!value.contains("evil"), "{count:?}");
        }
    }
}

#[test]
fn labels_survive_the_way_into_text_and_back() {
    let pairs = [("a", "x, y"), ("b", ""), ("c", "3.0")];
    assert_eq!(label::split(&label::join(&pairs)), pairs);
    assert_eq!(label::split(""), []);
}

#[test]
fn rotated_files_are_one_source() {
    for (name, source) in [
        ("/var/log/mail.log", "/var/log/mail.log"),
        ("/var/log/mail.log.1", "/var/log/mail.log"),
        ("/var/log/mail.log.12.gz", "/var/log/mail.log"),
        ("/var/log/mail.log-20261118.xz", "/var/log/mail.log"),
        ("journal", "journal"),
        ("/tmp/\"a\"", "other"),
    ] {
        assert_eq!(label::source(name), source, "{name}");
    }
}

#[test]
fn what_is_counted_is_a_family_that_is_offered() {
    let mut log = String::new();
    for file in std::fs::read_dir("testlogs/lines").unwrap() {
        let text = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        log.extend(
            text.lines()
                .filter(|l| !l.starts_with('#'))
                .map(|l| format!("{l}\n")),
        );
    }
    let counts = counted(&log, &[]);
    assert!(counts.len() > 60, "{}", counts.len());
    for count in &counts {
        let is_offered = FAMILIES.iter().any(|family| match family.kind {
            Kind::Counter => family.name == count.name,
            Kind::Histogram(_) => ["_bucket", "_sum", "_count"]
                .iter()
                .any(|ending| format!("{}{ending}", family.name) == count.name),
            Kind::Gauge => false,
        });
        assert!(is_offered, "{count:?}");
    }
    for name in [
        "postfix_rejects_total",
        "postfix_postscreen_actions_total",
        "postfix_milter_actions_total",
        "postfix_login_failures_total",
        "postfix_smtpd_tls_connections_total",
        "postfix_smtp_tls_connections_total",
        "postfix_smtpd_connections_lost_total",
        "postfix_qmgr_messages_expired_total",
        "postfix_cleanup_messages_rejected_total",
        "postfix_cleanup_messages_not_accepted_total",
        "postfix_smtpd_forward_confirmed_reverse_dns_errors_total",
        "postfix_unsupported_log_entries_total",
        "postfix_bounce_non_delivery_notification_total",
        "postfix_auth_messages_total",
    ] {
        assert!(
            counts.iter().any(|count| count.name == name),
            "{name} never counted"
        );
    }
}
