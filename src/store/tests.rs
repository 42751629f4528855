//! Tests of the store: rows made here, files in temporary directories.

mod append;
mod audit;
mod commit;
mod compact;
mod crash;
mod earlier;
mod erase;
mod full;
mod function;
mod lexer;
mod migrate;
mod open;
mod queue;
mod retain;
mod select;
mod status;
mod task;

use super::*;
use crate::model::cursor::{Cursor, StoredCursor};
use crate::model::row::{
    Attempt, Auth, Changes, CoverageRow, DeliveryAttempt, DeliveryFrom, DeliveryTo, EventRow,
    LogLine, NeighbourRow, Noqueue, State, UnparsedRow,
};
use crate::model::small::SmallRow;
use crate::model::table::Cell;
use crate::model::task::{TaskRun, TaskState};
use crate::model::time::{HOUR, MINUTE, SECOND, Time};

/// 2026-11-18 10:00:00 UTC.
const T0: Time = Time(1_795_514_400 * SECOND);

fn message(id: i64) -> DeliveryFrom {
    DeliveryFrom {
        id,
        host: "mx1".into(),
        instance: "postfix".into(),
        queue_id: format!("4Zq{id}").into(),
        time: T0.plus(id * SECOND),
        updated: T0.plus(id * SECOND),
        service: Some("smtpd".into()),
        client_name: Some("mail.example.org".into()),
        client_address: Some("192.0.2.25".into()),
        client_port: Some(40_000),
        sender: Some("alice@example.org".into()),
        message_id: Some(format!("<{id}@mail.example.org>").into()),
        size: Some(2048),
        nrcpt: Some(1),
        origin: "smtpd".into(),
        root_id: id,
        status: "queued".into(),
        ..DeliveryFrom::default()
    }
}

fn done(id: i64) -> DeliveryFrom {
    DeliveryFrom {
        removed: Some(T0.plus(id * SECOND)),
        status: "done".into(),
        ..message(id)
    }
}

fn line(from_id: i64, text: &str) -> LogLine {
    LogLine {
        time: T0.plus(from_id * SECOND),
        host: "mx1".into(),
        from_id: Some(from_id),
        noqueue_id: None,
        line: text.to_owned(),
        neighbour_id: None,
    }
}

fn recipient(id: i64, from_id: i64) -> DeliveryTo {
    DeliveryTo {
        id,
        from_id,
        host: "mx1".into(),
        instance: "postfix".into(),
        queue_id: format!("4Zq{from_id}").into(),
        recipient: format!("user{id}@example.net").into(),
        time: T0.plus(id * SECOND),
        first_time: T0.plus(id * SECOND),
        attempts: 1,
        state: attempt("deferred"),
        ..DeliveryTo::default()
    }
}

fn attempt(status: &str) -> Attempt {
    Attempt {
        agent: Some("smtp".into()),
        relay: Some("mx.example.net[192.0.2.99]:25".into()),
        relay_name: Some("mx.example.net".into()),
        relay_address: Some("192.0.2.99".into()),
        relay_port: Some(25),
        delay: Some(1.25),
        delay_before_qmgr: Some(0.5),
        dsn: Some("4.4.1".into()),
        status: status.into(),
        reply_code: Some(450),
        reason: Some("host mx.example.net said: 450 try \u{e4}gain\tlater".into()),
        ..Attempt::default()
    }
}

fn cursor(source_id: Option<i64>, sha256: &str, offset: u64) -> StoredCursor {
    StoredCursor {
        source_id,
        cursor: Cursor {
            key: file_key(sha256),
            name: "/var/log/mail.log".to_owned(),
            offset,
            journal: None,
            last_time: Some(T0),
            state: "{}".to_owned(),
        },
    }
}

fn file_key(sha256: &str) -> SourceKey {
    SourceKey::File {
        length: 4096,
        sha256: sha256.to_owned(),
    }
}

fn coverage(sha256: &str, hour: i64, lines: i64) -> CoverageRow {
    let hour = T0.plus(hour * HOUR);
    CoverageRow {
        source: file_key(sha256),
        host: "mx1".into(),
        hour,
        first_time: hour.plus(MINUTE),
        last_time: hour.plus(2 * MINUTE),
        lines,
        understood: lines - 2,
        ignored: 0,
        foreign: 1,
        not_understood: 1,
        lost: 3,
        known: 4,
    }
}

fn batch(changes: Changes) -> Batch {
    Batch {
        changes,
        now: T0,
        ..Batch::default()
    }
}

fn count(store: &Store, table: &str) -> i64 {
    number(store, &format!("SELECT count(*) FROM {table}"))
}

fn number(store: &Store, sql: &str) -> i64 {
    match store.select(sql, &[]).unwrap().rows[0][0] {
        Cell::Int(number) => number,
        ref other => panic!("{other:?}"),
    }
}

fn text(store: &Store, sql: &str) -> String {
    match store.select(sql, &[]).unwrap().rows[0][0] {
        Cell::Text(ref text) => text.clone(),
        ref other => panic!("{other:?}"),
    }
}

use crate::skip::skip;

/// A state of one part.
fn state(text: &str) -> State {
    [("correlator".into(), text.to_owned())].into()
}
