//! Param: values of parameters -> what DuckDB takes.

use crate::model::table::Param;
use crate::model::time::Time;
use duckdb::types::{TimeUnit, Value};

/// Returns a value as DuckDB takes it.
pub(super) fn value(param: &Param) -> Value {
    match param {
        Param::Text(text) => Value::Text(text.clone()),
        Param::Int(number) => Value::BigInt(*number),
        Param::Float(number) => Value::Double(*number),
        Param::Time(time) => timestamp(*time),
        Param::Bool(truth) => Value::Boolean(*truth),
        Param::Blob(bytes) => Value::Blob(bytes.clone()),
        Param::List(params) => Value::List(params.iter().map(value).collect()),
        Param::Null => Value::Null,
    }
}

/// Returns a time as DuckDB takes it.
pub(super) fn timestamp(time: Time) -> Value {
    Value::Timestamp(TimeUnit::Microsecond, time.0)
}
