//! TLS of deliveries: what the stories do not show (bounds, time, older states, hosts without announcements).

use super::reader::Reader;
use super::stories::tables_of;
use crate::correlate::{Correlator, Settings};
use crate::model::row::OpenState;
use crate::parse::parse;
use serde_json::Value;

const TLS: &str = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)";
const HELD: &str = "TLSv1.3 TLS_AES_256_GCM_SHA384 Untrusted";
const RELAY: &str = "mx.example.net[192.0.2.25]:25";

/// A mail that comes and goes to the queue manager at this time.
fn mail(time: &str, queue_id: &str) -> String {
    format!(
        "Mar  4 {time} mail postfix/smtpd[80]: {queue_id}: client=pc.example.org[192.0.2.44]\n\
         Mar  4 {time} mail postfix/cleanup[81]: {queue_id}: message-id=<{queue_id}@example.org>\n\
         Mar  4 {time} mail postfix/qmgr[82]: {queue_id}: from=<a@example.org>, size=9, nrcpt=1 (queue active)\n"
    )
}

fn announced(time: &str, pid: u32) -> String {
    format!(
        "Mar  4 {time} mail postfix/smtp[{pid}]: Untrusted TLS connection established to {RELAY}: {TLS}\n"
    )
}

fn sent(time: &str, pid: u32, queue_id: &str, delays: &str) -> String {
    format!(
        "Mar  4 {time} mail postfix/smtp[{pid}]: {queue_id}: to=<b@example.net>, relay={RELAY}, delay=1, \
         delays={delays}, dsn=2.0.0, status=sent (250 ok)\n"
    )
}

/// The TLS of each recipient, in order; `-` where it is not known.
fn told(log: &str) -> Vec<String> {
    let tables = tables_of(log, 2026);
    let tls = |r: &crate::model::row::DeliveryTo| r.state.tls.as_deref().unwrap_or("-").to_owned();
    tables.to.values().map(tls).collect()
}

#[test]
fn where_nothing_is_announced_nothing_is_claimed() {
    let mut log = String::new();
    for (n, time) in ["10:00:01", "10:10:01", "11:00:01"].iter().enumerate() {
        let queue_id = format!("64AB9120A5{n}");
        log += &mail(time, &queue_id);
        log += &sent(time, 901, &queue_id, "0.1/0.01/0.2/0.3");
    }
    assert_eq!(told(&log), ["-", "-", "-"]);
}

#[test]
fn words_from_before_the_hand_over_are_of_another_request() {
    // Nothing told what became of the connection that was announced; a minute later the mail is handed over.
    let log = announced("10:00:00", 901)
        + &mail("10:01:00", "64AB9120A53")
        + &sent("10:01:01", 901, "64AB9120A53", "0.1/0.01/0.2/0.3");
    assert_eq!(told(&log), ["-"]);
    // A slow server: the connection was announced long ago, and after the hand-over.
    let log = mail("10:00:00", "64AB9120A53")
        + &announced("10:00:01", 901)
        + &sent("10:04:01", 901, "64AB9120A53", "0.1/0.01/0.9/240");
    assert_eq!(told(&log), [HELD]);
}

#[test]
fn silence_proves_nothing_a_day_later() {
    let first = mail("10:00:00", "64AB9120A53")
        + &announced("10:00:01", 901)
        + &sent("10:00:01", 901, "64AB9120A53", "0.1/0.01/0.2/0.3");
    let next =
        mail("10:00:30", "64AB9120A54") + &sent("10:00:31", 902, "64AB9120A54", "0.1/0.01/0.2/0.3");
    let later = next.replace("Mar  4", "Mar  5");
    assert_eq!(told(&(first.clone() + &next)), [HELD, "none"]);
    assert_eq!(told(&(first.clone() + &later)), [HELD, "-"]);
    // Lines were lost in between.
    let lost =
        "Mar  4 10:00:10 mail rsyslogd: imjournal: 1200 messages lost due to rate-limiting\n";
    assert_eq!(told(&(first + lost + &next)), [HELD, "-"]);
}

#[test]
fn what_a_record_says_itself_goes_before() {
    let log = mail("10:00:00", "64AB9120A53")
        + &announced("10:00:01", 901)
        + &sent("10:00:01", 901, "64AB9120A53", "0.1/0.01/0.2/0.3, tls=may");
    assert_eq!(told(&log), ["may"]);
}

/// Feeds a log and returns the state after it.
fn state_of(log: &str) -> String {
    let mut correlator = Correlator::new(Settings::default());
    let mut reader = Reader::new(2026);
    for entry in log.lines().filter_map(|line| reader.entry(line)) {
        correlator.feed(&entry, &parse(&entry));
    }
    correlator.drain().state.remove("correlator").unwrap()
}

fn remembered(state: &str) -> usize {
    let state: Value = serde_json::from_str(state).unwrap();
    state["connections"].as_array().unwrap().len()
}

#[test]
fn memory_is_bounded_and_old_words_are_forgotten() {
    let log: String = (1..5000).map(|pid| announced("10:00:00", pid)).collect();
    let state = state_of(&log);
    assert!((500..=1000).contains(&remembered(&state)));
    let later = log + &mail("11:30:00", "64AB9120A53");
    assert_eq!(remembered(&state_of(&later)), 0);
}

#[test]
fn a_state_of_an_older_program_is_taken() {
    let log = mail("10:00:00", "64AB9120A53") + &announced("10:00:01", 901);
    let mut state: Value = serde_json::from_str(&state_of(&log)).unwrap();
    let fields = state.as_object_mut().unwrap();
    assert!(fields.remove("connections").is_some());
    assert!(fields.remove("announcing").is_some());
    let open = OpenState {
        state: [("correlator".into(), state.to_string())].into(),
        ..OpenState::default()
    };
    let restored = Correlator::restore(Settings::default(), open).unwrap();
    assert!(restored.agents.list().next().is_none());
}
