//! How long pruning holds up ingestion, and how long a look-up takes, at any size.
//!
//! `cargo run --release --example retain_bench -- generate FILE MILLIONS` makes a database of so many million rows of
//! `delivery_to` over a year; `-- prune FILE DAYS` deletes what is older than that in slices, with a commit of fresh rows
//! between any two as ingestion makes them, and tells how long either took; `-- find FILE` times the statement of
//! `maillog find` for a recipient and for a sender, in the last seven days and in all time, beside what a scan of all
//! recipients takes; `-- sql FILE STATEMENT...` times statements on it as the writer would run them.

use anyhow::anyhow;
use duckdb::{Config, Connection};
use maillog::model::retain::{Cutoffs, Group};
use maillog::model::row::{Changes, DeliveryFrom, DeliveryTo};
use maillog::model::table::{Cell, Param};
use maillog::model::time::{DAY, SECOND, Time};
use maillog::model::zone::Zone;
use maillog::query::{self, Options};
use maillog::store::retain::{self, Pruner};
use maillog::store::{Batch, Limits, Store, register_functions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Rows of one transaction while generating, in millions of recipients.
const CHUNK: i64 = 2_000_000;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["generate", file, millions] => {
            generate(Path::new(file), millions.parse::<i64>()? * 1_000_000)
        }
        ["prune", file, days] => prune(Path::new(file), days.parse()?),
        ["find", file] => find(Path::new(file)),
        ["sql", file, statements @ ..] => sql(Path::new(file), statements),
        _ => anyhow::bail!("see the head of bench/retain.rs"),
    }
}

/// The end of the generated year.
const END: Time = Time((1_763_683_200 + 365 * 86_400) * SECOND);

fn prune(file: &Path, days: i64) -> anyhow::Result<()> {
    let mut store = Store::open_writer_with(file, Limits::SERVICE)?;
    let mut cutoffs = Cutoffs::default();
    for group in Group::ALL {
        cutoffs.set(group, Some(END.plus(-days * DAY)));
    }
    let mut pruner = Pruner::new(cutoffs);
    let (mut slices, mut commits) = (Vec::new(), Vec::new());
    let mut total = Vec::new();
    let mut id = 1_000_000_000;
    loop {
        let start = Instant::now();
        let slice = pruner.step(&mut store)?;
        slices.push(start.elapsed());
        retain::add(&mut total, slice.gone);
        if slice.is_last {
            break;
        }
        let start = Instant::now();
        store.commit(fresh(&mut id))?;
        commits.push(start.elapsed());
    }
    let mut out = std::io::stdout().lock();
    for (what, mut times) in [("slices", slices), ("commits", commits)] {
        times.sort();
        let at = |share: usize| {
            times
                .get(times.len().saturating_sub(1) * share / 100)
                .copied()
                .unwrap_or_default()
        };
        writeln!(
            out,
            "{} {what}: {:.1?} in all, median {:.1?}, 99 % {:.1?}, longest {:.1?}",
            times.len(),
            times.iter().sum::<std::time::Duration>(),
            at(50),
            at(99),
            at(100)
        )?;
    }
    writeln!(out, "deleted {total:?}")?;
    let start = Instant::now();
    store.checkpoint()?;
    writeln!(
        out,
        "checkpoint at the end {:.1?}, {:?}",
        start.elapsed(),
        store.space()?
    )?;
    Ok(())
}

fn find(file: &Path) -> anyhow::Result<()> {
    let store = Store::open_reader(file)?;
    let one = |sql: &str, param: &[Param]| -> anyhow::Result<Cell> {
        let rows = store.select(sql, param)?.rows;
        let cell = rows.into_iter().flatten().next();
        cell.ok_or_else(|| anyhow!("nothing in {}", file.display()))
    };
    let Cell::Int(last) = one("SELECT max(id) FROM delivery_to", &[])? else {
        anyhow::bail!("no recipients in {}", file.display());
    };
    // What `generate` makes: two recipients a message, numbered alike.
    let id = last - 1000;
    let recipient = one(
        "SELECT recipient FROM delivery_to WHERE id = $1",
        &[Param::Int(id)],
    )?;
    let sender = one(
        "SELECT sender FROM delivery_from WHERE id = $1",
        &[Param::Int(id / 2)],
    )?;
    let (Cell::Text(recipient), Cell::Text(sender)) = (recipient, sender) else {
        anyhow::bail!("no addresses in {}", file.display());
    };
    let scan = "SELECT count(*) FROM delivery_to WHERE lower(recipient) = lower($1)";
    let scan = fastest(&store, scan, &[Param::Text(recipient.clone())])?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{scan:>9.1?}  a scan of all recipients")?;
    for query in [
        recipient.clone(),
        format!("from:{sender}"),
        format!("@{}", recipient.rsplit('@').next().unwrap_or_default()),
    ] {
        for all in [false, true] {
            let options = Options {
                now: END,
                zone: Zone::UTC,
                since: None,
                until: None,
                all,
                limit: None,
                all_hops: false,
            };
            let plan =
                query::compile_text(&query, &options).map_err(|error| anyhow!("{error:?}"))?;
            let time = fastest(&store, &plan.sql, &plan.params)?;
            writeln!(
                out,
                "{time:>9.1?}  {:.2} of the scan: {query}, {}",
                time.as_secs_f64() / scan.as_secs_f64(),
                if all { "all time" } else { "7 days" }
            )?;
        }
    }
    Ok(())
}

/// Returns how long the statement takes at best.
fn fastest(store: &Store, sql: &str, params: &[Param]) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        store.select(sql, params)?;
        times.push(start.elapsed());
    }
    Ok(times.into_iter().min().unwrap_or_default())
}

/// What a second of 5,000 lines becomes.
fn fresh(id: &mut i64) -> Batch {
    let ids = *id..*id + 500;
    *id = ids.end;
    let message = |id| DeliveryFrom {
        id,
        host: "mx1".into(),
        instance: "postfix".into(),
        queue_id: format!("4Z{id:X}").into(),
        time: END,
        updated: END,
        removed: Some(END),
        origin: "smtpd".into(),
        status: "done".into(),
        root_id: id,
        ..DeliveryFrom::default()
    };
    let recipient = |id| DeliveryTo {
        id,
        from_id: id,
        host: "mx1".into(),
        instance: "postfix".into(),
        recipient: format!("user{id}@example.net").into(),
        time: END,
        first_time: END,
        attempts: 1,
        ..DeliveryTo::default()
    };
    Batch {
        changes: Changes {
            from_inserts: ids.clone().map(message).collect(),
            to_inserts: ids.map(recipient).collect(),
            ..Changes::default()
        },
        now: END,
        ..Batch::default()
    }
}

fn open(file: &Path, threads: i64) -> duckdb::Result<Connection> {
    let config = Config::default()
        .max_memory("400MB")?
        .threads(threads)?
        .with("preserve_insertion_order", "false")?
        .with("checkpoint_threshold", "128MB")?;
    Connection::open_with_flags(file, config)
}

fn sql(file: &Path, statements: &[&str]) -> anyhow::Result<()> {
    let conn = open(file, 1)?;
    for statement in statements {
        let start = Instant::now();
        let mut prepared = conn.prepare(statement)?;
        let rows: Vec<String> = prepared
            .query_map([], |row| {
                let mut line = String::new();
                let columns = row.as_ref().column_count();
                for column in 0..columns {
                    let value: duckdb::types::Value = row.get(column)?;
                    line.push_str(&format!("{value:?} "));
                }
                Ok(line)
            })?
            .collect::<duckdb::Result<_>>()?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{:>9.1?}  {statement}", start.elapsed())?;
        for row in rows.iter().take(40) {
            writeln!(out, "           {row}")?;
        }
    }
    Ok(())
}

fn generate(file: &Path, recipients: i64) -> anyhow::Result<()> {
    drop(Store::open_writer(file)?);
    let conn = open(file, 1)?;
    register_functions(&conn)?;
    let start = Instant::now();
    let mut done = 0;
    while done < recipients {
        let (from, to) = (done, (done + CHUNK).min(recipients));
        // A year over all rows: microseconds between two recipients.
        let step = 365 * 86_400 * 1_000_000 / recipients;
        for statement in [
            DELIVERY_TO,
            DELIVERY_FROM,
            ATTEMPT,
            NOQUEUE,
            CONNECTION,
            LOG_LINE,
        ] {
            let statement = statement
                .replace("{from}", &from.to_string())
                .replace("{to}", &to.to_string())
                .replace("{step}", &step.to_string());
            conn.execute_batch(&statement)?;
        }
        done = to;
        writeln!(std::io::stdout(), "{done} {:.0?}", start.elapsed())?;
    }
    conn.execute_batch("CHECKPOINT")?;
    Ok(())
}

const DELIVERY_TO: &str = "INSERT INTO delivery_to BY NAME
SELECT i AS id, i // 2 AS from_id, 'mx1' AS host, 'postfix' AS instance, printf('4Z%010X', i // 2) AS queue_id,
    'user' || (hash(i) % 500000) || '@dom' || (hash(i + 1) % 20000) || '.example' AS recipient,
    make_timestamp(1763683200000000 + i * {step}) AS time, make_timestamp(1763683200000000 + i * {step}) AS first_time, 1 AS attempts,
    'smtp' AS agent, 'mx' || (hash(i + 1) % 20000) || '.example[192.0.2.' || (hash(i) % 250) || ']:25' AS relay,
    'mx' || (hash(i + 1) % 20000) || '.example' AS relay_name, '192.0.2.' || (hash(i) % 250) AS relay_address, 25 AS relay_port,
    (hash(i) % 1000) / 100 AS delay, 0.1 AS delay_before_qmgr, 0.01 AS delay_in_qmgr, 0.2 AS delay_conn_setup,
    (hash(i) % 100) / 100 AS delay_transmission, '2.0.0' AS dsn, CASE WHEN hash(i) % 20 = 0 THEN 'bounced' ELSE 'sent' END AS status,
    250 AS reply_code, '250 2.0.0 Ok: queued as ' || printf('%X', hash(i) % 1000000000) AS reason, address_key(recipient) AS recipient_key
FROM range({from}, {to}) r(i)";

const DELIVERY_FROM: &str = "INSERT INTO delivery_from BY NAME
SELECT i AS id, 'mx1' AS host, 'postfix' AS instance, printf('4Z%010X', i) AS queue_id, make_timestamp(1763683200000000 + 2 * i * {step}) AS time,
    make_timestamp(1763683200000000 + 2 * i * {step} + 1000000) AS updated,
    CASE WHEN hash(i) % 100000 = 0 THEN NULL ELSE make_timestamp(1763683200000000 + 2 * i * {step} + 1000000) END AS removed,
    'smtpd' AS service, 'client' || (hash(i) % 3000) || '.example' AS client_name, '198.51.100.' || (hash(i) % 250) AS client_address,
    'user' || (hash(i + 7) % 500000) || '@dom' || (hash(i + 8) % 20000) || '.example' AS sender,
    address_key(sender) AS sender_key, '<' || hash(i) || '@client.example>' AS message_id, hash(i) % 100000 AS size, 2 AS nrcpt, 'smtpd' AS origin, i AS root_id,
    CASE WHEN hash(i) % 100000 = 0 THEN 'queued' ELSE 'done' END AS status, false AS log_incomplete
FROM range({from} // 2, {to} // 2) r(i)";

const ATTEMPT: &str = "INSERT INTO delivery_attempt BY NAME
SELECT i // 10 AS id, i AS to_id, i // 2 AS from_id, make_timestamp(1763683200000000 + i * {step}) AS time, 'smtp' AS agent,
    'mx' || (hash(i + 1) % 20000) || '.example[192.0.2.' || (hash(i) % 250) || ']:25' AS relay,
    'deferred' AS status, '4.7.1' AS dsn, 451 AS reply_code, '451 4.7.1 try again later ' || (hash(i) % 1000000) AS reason
FROM range({from}, {to}, 10) r(i)";

const NOQUEUE: &str = "INSERT INTO noqueue BY NAME
SELECT i // 5 AS id, make_timestamp(1763683200000000 + i * {step}) AS time, 'mx1' AS host, 'postfix' AS instance, 'smtpd' AS service,
    'reject' AS action, 'RCPT' AS protocol_state, '203.0.113.' || (hash(i) % 250) AS client_address,
    'user' || (hash(i) % 500000) || '@dom' || (hash(i + 1) % 20000) || '.example' AS recipient, 550 AS reply_code, '5.1.1' AS dsn,
    'unknown_user' AS rule, '550 5.1.1 <user' || (hash(i) % 500000) || '@dom' || (hash(i + 1) % 20000) || '.example>: Recipient address rejected' AS reason,
    1 AS count, address_key(recipient) AS recipient_key
FROM range({from}, {to}, 5) r(i)";

const CONNECTION: &str = "INSERT INTO connection BY NAME
SELECT i // 4 AS id, make_timestamp(1763683200000000 + i * {step}) AS time, 1.5 AS duration, 'mx1' AS host, 'postfix' AS instance, 'smtpd' AS service,
    '203.0.113.' || (hash(i) % 250) AS client_address, 'ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5' AS commands, 'closed' AS outcome, 1 AS count
FROM range({from}, {to}, 4) r(i)";

const LOG_LINE: &str = "INSERT INTO log_line BY NAME
SELECT make_timestamp(1763683200000000 + i * {step}) AS time, 'mx1' AS host, i // 2 AS from_id,
    '2026-11-21T03:21:37 mx1 postfix/smtp[' || (hash(i) % 30000) || ']: ' || printf('4Z%010X', i // 2) || ': to=<user' || (hash(i) % 500000) || '@dom' ||
    (hash(i + 1) % 20000) || '.example>, relay=mx.example[192.0.2.1]:25, delay=0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok)' AS line
FROM range({from}, {to}, 5) r(i)";
