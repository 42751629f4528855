//! Table: column names and cells of any result, between the store and what shows it.

use super::time::Time;

/// One value of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// Truth value.
    Bool(bool),
    /// Any integer that fits.
    Int(i64),
    /// Integers beyond `i64` (`HUGEINT`, `UBIGINT`), exact.
    Big(i128),
    /// Floating point number.
    Float(f64),
    /// Text; also exact decimals, dates and intervals, printed as DuckDB prints them.
    Text(String),
    /// Point in time, UTC.
    Time(Time),
    /// Raw bytes.
    Blob(Vec<u8>),
    /// A list or array.
    List(Vec<Cell>),
    /// A struct or map, in its order.
    Struct(Vec<(String, Cell)>),
}

/// A value bound to a parameter of a statement: never text of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// Bound as VARCHAR.
    Text(String),
    /// Bound as BIGINT.
    Int(i64),
    /// Bound as DOUBLE.
    Float(f64),
    /// Bound as TIMESTAMP (UTC).
    Time(Time),
    /// Bound as BOOLEAN.
    Bool(bool),
    /// Bound as BLOB.
    Blob(Vec<u8>),
    /// Bound as a list.
    List(Vec<Param>),
    /// Bound as NULL.
    Null,
}

/// A result: names of the columns and rows of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Column names in order.
    pub columns: Vec<String>,
    /// Rows; each has one cell a column.
    pub rows: Vec<Vec<Cell>>,
}
