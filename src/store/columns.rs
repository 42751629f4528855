//! Rows as Arrow columns, in the order of the table: what the appender takes.
//!
//! Limits: the appender matches by position, so the order of `columns` is the order of the table; a test
//! compares both.

use crate::model::row::{
    Attempt, Auth, Connection, CoverageRow, DeliveryAttempt, DeliveryFrom, DeliveryTo, EventRow,
    LogLine, NeighbourRow, Noqueue, UnparsedRow,
};
use crate::model::time::Time;
use crate::model::{key, within};
use duckdb::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray, StringBuilder,
};
use duckdb::arrow::datatypes::{
    ArrowPrimitiveType, Field, Float64Type, Int32Type, Int64Type, Schema, TimestampMicrosecondType,
    UInt16Type, UInt32Type,
};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use std::sync::Arc;

/// A row that is stored as it is in one table.
pub(super) trait Stored: Sized {
    /// Name of the table.
    const TABLE: &'static str;
    /// Returns the columns of the rows, in the order of the table.
    fn columns(rows: &[Self]) -> Columns<'_, Self>;
}

/// Columns under construction.
pub(super) struct Columns<'r, R> {
    rows: &'r [R],
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl<'r, R> Columns<'r, R> {
    pub(super) fn of(rows: &'r [R]) -> Self {
        Self {
            rows,
            fields: Vec::new(),
            arrays: Vec::new(),
        }
    }

    /// Returns the names of the columns.
    pub(super) fn names(&self) -> Vec<&str> {
        self.fields
            .iter()
            .map(|field| field.name().as_str())
            .collect()
    }

    /// Returns the columns as one batch.
    pub(super) fn finish(self) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)
    }

    fn push(mut self, name: &str, array: ArrayRef) -> Self {
        self.fields
            .push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
        self
    }

    pub(super) fn text(self, name: &str, get: impl Fn(&'r R) -> &'r str) -> Self {
        self.maybe_text(name, |row| Some(get(row)))
    }

    fn maybe_text(self, name: &str, get: impl Fn(&'r R) -> Option<&'r str>) -> Self {
        let mut builder = StringBuilder::with_capacity(self.rows.len(), self.rows.len() * 16);
        for row in self.rows {
            builder.append_option(get(row));
        }
        self.push(name, Arc::new(builder.finish()))
    }

    pub(super) fn value<T: ArrowPrimitiveType>(
        self,
        name: &str,
        get: impl Fn(&'r R) -> T::Native,
    ) -> Self {
        let array = PrimitiveArray::<T>::from_iter_values(self.rows.iter().map(get));
        self.push(name, Arc::new(array))
    }

    fn maybe<T: ArrowPrimitiveType>(
        self,
        name: &str,
        get: impl Fn(&'r R) -> Option<T::Native>,
    ) -> Self {
        let array: PrimitiveArray<T> = self.rows.iter().map(get).collect();
        self.push(name, Arc::new(array))
    }

    pub(super) fn blob(self, name: &str, get: impl Fn(&'r R) -> &'r [u8]) -> Self {
        let array = BinaryArray::from_iter_values(self.rows.iter().map(get));
        self.push(name, Arc::new(array))
    }

    pub(super) fn time(self, name: &str, get: impl Fn(&'r R) -> Time) -> Self {
        self.value::<TimestampMicrosecondType>(name, |row| get(row).0)
    }

    pub(super) fn maybe_time(self, name: &str, get: impl Fn(&'r R) -> Option<Time>) -> Self {
        self.maybe::<TimestampMicrosecondType>(name, |row| get(row).map(|time| time.0))
    }

    /// The key of the address in the column of this name.
    fn key(self, name: &str, get: impl Fn(&'r R) -> Option<&'r str>) -> Self {
        self.maybe::<UInt16Type>(&format!("{name}_key"), |row| get(row).map(key::of))
    }

    /// The address within that of the row, in the column of this name, and its key.
    fn within(self, name: &str, get: impl Fn(&'r R) -> Option<&'r str>) -> Self {
        let found: Vec<Option<String>> = self
            .rows
            .iter()
            .map(|row| get(row).and_then(within::of))
            .collect();
        let texts: StringArray = found.iter().map(Option::as_deref).collect();
        let keys: PrimitiveArray<UInt16Type> = found
            .iter()
            .map(|address| address.as_deref().map(key::of))
            .collect();
        self.push(name, Arc::new(texts))
            .push(&format!("{name}_key"), Arc::new(keys))
    }

    pub(super) fn int(self, name: &str, get: impl Fn(&'r R) -> i64) -> Self {
        self.value::<Int64Type>(name, get)
    }

    pub(super) fn flag(self, name: &str, get: impl Fn(&'r R) -> bool) -> Self {
        let array: BooleanArray = self.rows.iter().map(|row| Some(get(row))).collect();
        self.push(name, Arc::new(array))
    }

    fn attempt(self, get: impl Fn(&'r R) -> &'r Attempt) -> Self {
        let get = &get;
        self.maybe_text("agent", |r| get(r).agent.as_deref())
            .maybe_text("relay", |r| get(r).relay.as_deref())
            .maybe_text("relay_name", |r| get(r).relay_name.as_deref())
            .maybe_text("relay_address", |r| get(r).relay_address.as_deref())
            .maybe::<UInt16Type>("relay_port", |r| get(r).relay_port)
            .maybe::<Int32Type>("conn_use", |r| get(r).conn_use)
            .maybe::<Float64Type>("delay", |r| get(r).delay)
            .maybe::<Float64Type>("delay_before_qmgr", |r| get(r).delay_before_qmgr)
            .maybe::<Float64Type>("delay_in_qmgr", |r| get(r).delay_in_qmgr)
            .maybe::<Float64Type>("delay_conn_setup", |r| get(r).delay_conn_setup)
            .maybe::<Float64Type>("delay_transmission", |r| get(r).delay_transmission)
            .maybe_text("tls", |r| get(r).tls.as_deref())
            .maybe_text("dsn", |r| get(r).dsn.as_deref())
            .text("status", |r| &get(r).status)
            .maybe::<UInt16Type>("reply_code", |r| get(r).reply_code)
            .maybe_text("reason", |r| get(r).reason.as_deref())
            .maybe_text("remote_queue_id", |r| get(r).remote_queue_id.as_deref())
            .maybe_text("cause", |r| get(r).cause.as_deref())
            .maybe_text("dnsbl", |r| get(r).dnsbl.as_deref())
    }
}

impl Stored for DeliveryFrom {
    const TABLE: &'static str = "delivery_from";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .int("id", |r| r.id)
            .text("host", |r| &r.host)
            .text("instance", |r| &r.instance)
            .text("queue_id", |r| &r.queue_id)
            .time("time", |r| r.time)
            .time("updated", |r| r.updated)
            .maybe_time("removed", |r| r.removed)
            .maybe_text("service", |r| r.service.as_deref())
            .maybe_text("client_name", |r| r.client_name.as_deref())
            .maybe_text("client_address", |r| r.client_address.as_deref())
            .maybe::<UInt16Type>("client_port", |r| r.client_port)
            .maybe_text("helo_name", |r| r.helo_name.as_deref())
            .maybe_text("protocol_name", |r| r.protocol_name.as_deref())
            .maybe_text("sasl_method", |r| r.sasl_method.as_deref())
            .maybe_text("sasl_username", |r| r.sasl_username.as_deref())
            .maybe_text("sasl_sender", |r| r.sasl_sender.as_deref())
            .maybe_text("orig_queue_id", |r| r.orig_queue_id.as_deref())
            .maybe_text("orig_client", |r| r.orig_client.as_deref())
            .maybe_text("sender", |r| r.sender.as_deref())
            .maybe_text("message_id", |r| r.message_id.as_deref())
            .maybe_text("resent_message_id", |r| r.resent_message_id.as_deref())
            .maybe_text("subject", |r| r.subject.as_deref())
            .maybe::<Int64Type>("size", |r| r.size)
            .maybe::<Int32Type>("nrcpt", |r| r.nrcpt)
            .maybe::<Int64Type>("uid", |r| r.uid)
            .maybe_text("tls", |r| r.tls.as_deref())
            .text("origin", |r| &r.origin)
            .maybe::<Int64Type>("parent_id", |r| r.parent_id)
            .maybe_text("parent_link", |r| r.parent_link.as_deref())
            .int("root_id", |r| r.root_id)
            .text("status", |r| &r.status)
            .maybe_text("reason", |r| r.reason.as_deref())
            .flag("log_incomplete", |r| r.log_incomplete)
            .key("sender", |r| r.sender.as_deref())
            .flag("parent_inferred", |r| r.parent_inferred)
            .within("orig_sender", |r| r.sender.as_deref())
    }
}

impl Stored for DeliveryTo {
    const TABLE: &'static str = "delivery_to";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .int("id", |r| r.id)
            .int("from_id", |r| r.from_id)
            .text("host", |r| &r.host)
            .text("instance", |r| &r.instance)
            .text("queue_id", |r| &r.queue_id)
            .text("recipient", |r| &r.recipient)
            .maybe_text("orig_to", |r| r.orig_to.as_deref())
            .time("time", |r| r.time)
            .time("first_time", |r| r.first_time)
            .value::<Int32Type>("attempts", |r| r.attempts)
            .attempt(|r| &r.state)
            .key("recipient", |r| Some(&r.recipient))
            .key("orig_to", |r| r.orig_to.as_deref())
            .within("recipient_within", |r| Some(&r.recipient))
    }
}

impl Stored for DeliveryAttempt {
    const TABLE: &'static str = "delivery_attempt";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .int("id", |r| r.id)
            .int("to_id", |r| r.to_id)
            .int("from_id", |r| r.from_id)
            .time("time", |r| r.time)
            .attempt(|r| &r.state)
    }
}

impl Stored for Noqueue {
    const TABLE: &'static str = "noqueue";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .int("id", |r| r.id)
            .time("time", |r| r.time)
            .text("host", |r| &r.host)
            .text("instance", |r| &r.instance)
            .text("service", |r| &r.service)
            .maybe::<UInt32Type>("pid", |r| r.pid)
            .text("action", |r| &r.action)
            .text("protocol_state", |r| &r.protocol_state)
            .maybe_text("client_name", |r| r.client_name.as_deref())
            .maybe_text("client_address", |r| r.client_address.as_deref())
            .maybe::<UInt16Type>("client_port", |r| r.client_port)
            .maybe_text("helo_name", |r| r.helo_name.as_deref())
            .maybe_text("protocol_name", |r| r.protocol_name.as_deref())
            .maybe_text("sender", |r| r.sender.as_deref())
            .maybe_text("recipient", |r| r.recipient.as_deref())
            .maybe_text("sasl_method", |r| r.sasl_method.as_deref())
            .maybe_text("sasl_username", |r| r.sasl_username.as_deref())
            .maybe::<UInt16Type>("reply_code", |r| r.reply_code)
            .maybe_text("dsn", |r| r.dsn.as_deref())
            .maybe_text("rule", |r| r.rule.as_deref())
            .maybe_text("dnsbl", |r| r.dnsbl.as_deref())
            .text("reason", |r| &r.reason)
            .maybe_text("queue_id", |r| r.queue_id.as_deref())
            .maybe::<Int64Type>("from_id", |r| r.from_id)
            .value::<Int32Type>("count", |r| r.count)
            .maybe_text("cause", |r| r.cause.as_deref())
            .key("sender", |r| r.sender.as_deref())
            .key("recipient", |r| r.recipient.as_deref())
            .within("orig_sender", |r| r.sender.as_deref())
            .within("recipient_within", |r| r.recipient.as_deref())
    }
}

impl Stored for Connection {
    const TABLE: &'static str = "connection";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .int("id", |r| r.id)
            .time("time", |r| r.time)
            .maybe::<Float64Type>("duration", |r| r.duration)
            .text("host", |r| &r.host)
            .text("instance", |r| &r.instance)
            .text("service", |r| &r.service)
            .maybe::<UInt32Type>("pid", |r| r.pid)
            .maybe_text("client_name", |r| r.client_name.as_deref())
            .maybe_text("client_address", |r| r.client_address.as_deref())
            .maybe::<UInt16Type>("client_port", |r| r.client_port)
            .maybe_text("commands", |r| r.commands.as_deref())
            .maybe_text("tls", |r| r.tls.as_deref())
            .text("outcome", |r| &r.outcome)
            .value::<Int32Type>("count", |r| r.count)
    }
}

impl Stored for Auth {
    const TABLE: &'static str = "auth";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .int("id", |r| r.id)
            .time("time", |r| r.time)
            .text("host", |r| &r.host)
            .text("instance", |r| &r.instance)
            .text("service", |r| &r.service)
            .maybe_text("client_name", |r| r.client_name.as_deref())
            .maybe_text("client_address", |r| r.client_address.as_deref())
            .maybe_text("sasl_method", |r| r.sasl_method.as_deref())
            .maybe_text("sasl_username", |r| r.sasl_username.as_deref())
            .flag("ok", |r| r.ok)
            .maybe_text("reason", |r| r.reason.as_deref())
            .value::<Int32Type>("count", |r| r.count)
    }
}

impl Stored for EventRow {
    const TABLE: &'static str = "event";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .time("day", |r| r.day)
            .text("host", |r| &r.host)
            .text("instance", |r| &r.instance)
            .text("service", |r| &r.service)
            .text("level", |r| &r.level)
            .text("template", |r| &r.template)
            .text("sample", |r| &r.sample)
            .time("first_time", |r| r.first_time)
            .time("last_time", |r| r.last_time)
            .int("count", |r| r.count)
    }
}

impl Stored for LogLine {
    const TABLE: &'static str = "log_line";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .time("time", |r| r.time)
            .text("host", |r| &r.host)
            .maybe::<Int64Type>("from_id", |r| r.from_id)
            .maybe::<Int64Type>("noqueue_id", |r| r.noqueue_id)
            .text("line", |r| &r.line)
            .maybe::<Int64Type>("neighbour_id", |r| r.neighbour_id)
    }
}

impl Stored for NeighbourRow {
    const TABLE: &'static str = "neighbour";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .int("id", |r| r.id)
            .time("time", |r| r.time)
            .text("host", |r| &r.host)
            .text("program", |r| &r.program)
            .maybe_text("queue_id", |r| r.queue_id.as_deref())
            .maybe_text("message_id", |r| r.message_id.as_deref())
            .maybe_text("session", |r| r.session.as_deref())
            .maybe_text("recipient", |r| r.recipient.as_deref())
            .text("action", |r| &r.action)
            .maybe_text("detail", |r| r.detail.as_deref())
    }
}

impl Stored for UnparsedRow {
    const TABLE: &'static str = "unparsed";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .text("service", |r| &r.service)
            .text("template", |r| &r.template)
            .text("sample", |r| &r.sample)
            .maybe_time("first_time", |r| r.first_time)
            .maybe_time("last_time", |r| r.last_time)
            .int("count", |r| r.count)
    }
}

/// The number of the source, and what was read of it.
impl Stored for (i64, CoverageRow) {
    const TABLE: &'static str = "coverage";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .int("source_id", |r| r.0)
            .text("host", |r| &r.1.host)
            .time("hour", |r| r.1.hour)
            .time("first_time", |r| r.1.first_time)
            .time("last_time", |r| r.1.last_time)
            .int("lines", |r| r.1.lines)
            .int("understood", |r| r.1.understood)
            .int("ignored", |r| r.1.ignored)
            .int("foreign", |r| r.1.foreign)
            .int("not_understood", |r| r.1.not_understood)
            .int("lost", |r| r.1.lost)
            .int("known", |r| r.1.known)
    }
}
