//! How fast rows are stored: what a million log lines become, in commits as an import makes them.
//!
//! `cargo run --release --example store_bench -- [ROWS_PER_PART] [PARTS_PER_COMMIT] [MILLIONS_OF_LINES] [UPDATES_PER_PART]`
//!
//! Prints rows per second (making the rows not counted), peak memory and sizes.

use maillog::model::cursor::{Cursor, SourceKey, StoredCursor};
use maillog::model::row::{
    Attempt, Changes, Connection, CoverageRow, DeliveryFrom, DeliveryTo, Noqueue, Text,
};
use maillog::model::time::{SECOND, Time};
use maillog::store::{Batch, Store};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Rows that come of a million lines: messages, recipients, refusals, connections.
const OF_A_MILLION: [i64; 4] = [100_000, 120_000, 60_000, 60_000];

fn main() -> anyhow::Result<()> {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<i64>());
    let per_part = numbers.next().transpose()?.unwrap_or(17_000);
    let parts_per_commit = numbers.next().transpose()?.unwrap_or(20);
    let millions = numbers.next().transpose()?.unwrap_or(1);
    let updates = numbers.next().transpose()?.unwrap_or(0);
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("maillog.db");
    let mut store = Store::open_writer(&path)?;
    let of_million: i64 = OF_A_MILLION.iter().sum();
    let total = millions * of_million;
    let parts = (total / per_part).max(1);
    let mut spent = Duration::ZERO;
    let mut slowest = Duration::ZERO;
    for part in 0..parts {
        let batch = make_batch(part, per_part, of_million, updates);
        let start = Instant::now();
        if (part + 1) % parts_per_commit == 0 || part + 1 == parts {
            store.commit(batch)?;
        } else {
            store.append(batch.changes)?;
        }
        slowest = slowest.max(start.elapsed());
        spent += start.elapsed();
    }
    let start = Instant::now();
    store.checkpoint()?;
    let checkpoint = start.elapsed();
    spent += checkpoint;
    let wal = std::fs::metadata(path.with_extension("db.wal")).map_or(0, |data| data.len());
    let start = Instant::now();
    drop(store);
    let rows = parts * per_part;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{rows} rows in {parts} parts, {parts_per_commit} a commit: {:.0} rows/s, {spent:.2?} (slowest part {slowest:.2?}, checkpoint {checkpoint:.2?}, \
         close {:.2?}), {} MB database, {wal} bytes WAL, {} MB written, {} MB peak",
        ratio(rows) / spent.as_secs_f64(),
        start.elapsed(),
        std::fs::metadata(&path)?.len() / 1_000_000,
        proc_number("/proc/self/io", "write_bytes") / 1_000_000,
        proc_number("/proc/self/status", "VmHWM") / 1000,
    )?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a count of rows for people")]
fn ratio(rows: i64) -> f64 {
    rows as f64
}

fn proc_number(path: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let digits = line.map(|line| {
        line.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    });
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn make_batch(commit: i64, per_commit: i64, of_million: i64, updates: i64) -> Batch {
    let [froms, tos, noqueues, connections] = OF_A_MILLION.map(|rows| {
        let count = rows * per_commit / of_million;
        commit * count..(commit + 1) * count
    });
    let key = SourceKey::File {
        length: 4096,
        sha256: "00".repeat(32),
    };
    let now = time(froms.end);
    let changed = (froms.start - updates).max(0)..froms.start;
    Batch {
        counts: Vec::new(),
        small: Vec::new(),
        anchors: Vec::new(),
        seen: Vec::new(),
        coverage: vec![CoverageRow {
            source: key.clone(),
            host: "mx1".into(),
            hour: now.hour(),
            first_time: now,
            last_time: now,
            lines: 1,
            understood: 1,
            ignored: 0,
            foreign: 0,
            not_understood: 0,
            lost: 0,
            known: 0,
        }],
        cursors: vec![StoredCursor {
            source_id: None,
            cursor: Cursor {
                key,
                name: "/var/log/mail.log".to_owned(),
                offset: froms.end.unsigned_abs(),
                journal: None,
                last_time: Some(now),
                state: String::new(),
            },
        }],
        changes: Changes {
            from_updates: changed.clone().map(message).collect(),
            to_updates: changed.map(recipient).collect(),
            from_inserts: froms.map(message).collect(),
            to_inserts: tos.map(recipient).collect(),
            noqueues: noqueues.map(refusal).collect(),
            connections: connections.map(connection).collect(),
            state: [(
                "correlator".into(),
                "x".repeat(10_000) + &commit.to_string(),
            )]
            .into(),
            ..Changes::default()
        },
        unparsed: Vec::new(),
        undated: Vec::new(),
        now,
    }
}

/// A number that looks like chance and is the same for the same input.
fn chance(id: i64, salt: u64, below: u64) -> u64 {
    let mut x = id.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ salt.wrapping_mul(0xd1b5_4a32_d192_ed03);
    x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ (x >> 32)) % below
}

fn time(id: i64) -> Time {
    Time(1_795_514_400 * SECOND).plus(id * SECOND / 20)
}

fn queue_id(id: i64) -> Text {
    format!("4ZqM{:07X}z{:05X}", id / 20, chance(id, 1, 1 << 20)).into()
}

fn address(id: i64, salt: u64) -> Text {
    let low = chance(id, salt, 5000).min(chance(id, salt + 1, 5000));
    format!("user{low}@domain{}.example.org", low % 300).into()
}

fn client(id: i64) -> (Text, Text) {
    let low = chance(id, 9, 20_000).min(chance(id, 10, 20_000));
    let (host, ip) = (
        format!("mail{low}.example.net"),
        format!("203.0.{}.{}", low / 250, low % 250),
    );
    (host.into(), ip.into())
}

fn message(id: i64) -> DeliveryFrom {
    let (name, ip) = client(id);
    DeliveryFrom {
        id,
        host: "mx1".into(),
        instance: "postfix".into(),
        queue_id: queue_id(id),
        time: time(id),
        updated: time(id + 40),
        removed: Some(time(id + 40)),
        service: Some("smtpd".into()),
        client_name: Some(name),
        client_address: Some(ip),
        sender: Some(address(id, 2)),
        message_id: Some(
            format!("<{:016x}.{id}@mail.example.org>", chance(id, 3, u64::MAX)).into(),
        ),
        size: Some(chance(id, 4, 90_000).cast_signed() + 600),
        nrcpt: Some(1),
        tls: Some("TLSv1.3 TLS_AES_256_GCM_SHA384".into()),
        origin: "smtpd".into(),
        root_id: id,
        status: "done".into(),
        ..DeliveryFrom::default()
    }
}

fn recipient(id: i64) -> DeliveryTo {
    let from_id = id * 5 / 6;
    let mut reason = String::new();
    let remote = format!("{:011X}", chance(id, 5, 1 << 44));
    let _ = write!(reason, "250 2.0.0 Ok: queued as {remote}");
    DeliveryTo {
        id,
        from_id,
        host: "mx1".into(),
        instance: "postfix".into(),
        queue_id: queue_id(from_id),
        recipient: address(id, 6),
        orig_to: None,
        time: time(id + 30),
        first_time: time(id + 30),
        attempts: 1,
        state: Attempt {
            agent: Some("smtp".into()),
            relay: Some(format!("mx{0}.example.com[198.51.100.{0}]:25", id % 90).into()),
            relay_name: Some(format!("mx{}.example.com", id % 90).into()),
            relay_address: Some(format!("198.51.100.{}", id % 90).into()),
            relay_port: Some(25),
            delay: Some(f64::from(u16::try_from(chance(id, 7, 500)).unwrap_or(0)) / 100.0),
            delay_before_qmgr: Some(0.02),
            delay_in_qmgr: Some(0.01),
            delay_conn_setup: Some(0.3),
            delay_transmission: Some(0.12),
            dsn: Some("2.0.0".into()),
            status: "sent".into(),
            reply_code: Some(250),
            reason: Some(reason.into()),
            remote_queue_id: Some(remote.into()),
            ..Attempt::default()
        },
    }
}

fn refusal(id: i64) -> Noqueue {
    let (name, ip) = client(id);
    Noqueue {
        id,
        time: time(id * 5 / 3),
        host: "mx1".into(),
        instance: "postfix".into(),
        service: "smtpd".into(),
        pid: Some(u32::try_from(chance(id, 8, 30_000)).unwrap_or(0)),
        action: "reject".into(),
        protocol_state: "RCPT".into(),
        reason: format!(
            "554 5.7.1 Service unavailable; Client host [{ip}] blocked using dnsbl.example.org"
        )
        .into(),
        client_name: Some(name.clone()),
        client_address: Some(ip),
        helo_name: Some(name),
        protocol_name: Some("ESMTP".into()),
        sender: Some(address(id, 12)),
        recipient: Some(address(id, 13)),
        reply_code: Some(554),
        dsn: Some("5.7.1".into()),
        rule: Some("dnsbl".into()),
        dnsbl: Some("dnsbl.example.org".into()),
        count: 1,
        ..Noqueue::default()
    }
}

fn connection(id: i64) -> Connection {
    let (name, ip) = client(id);
    Connection {
        id,
        time: time(id * 5 / 3),
        duration: Some(1.5),
        host: "mx1".into(),
        instance: "postfix".into(),
        service: "smtpd".into(),
        pid: Some(u32::try_from(chance(id, 8, 30_000)).unwrap_or(0)),
        client_name: Some(name),
        client_address: Some(ip),
        commands: Some("ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7".into()),
        tls: Some("TLSv1.3 TLS_AES_256_GCM_SHA384".into()),
        outcome: "closed".into(),
        count: 1,
        ..Connection::default()
    }
}
