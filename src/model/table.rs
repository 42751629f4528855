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

impl std::fmt::Display for Param {
    /// As SQL would write it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Int(n) => n.fmt(f),
            Self::Float(n) => n.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::Time(time) => match time.to_utc() {
                Some(utc) => write!(f, "TIMESTAMP '{}'", utc.format("%Y-%m-%d %H:%M:%S%.f")),
                None => write!(f, "{} us", time.0),
            },
            Self::Blob(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("\\x{byte:02X}")).collect();
                write!(f, "'{hex}'::BLOB")
            }
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Null => f.write_str("NULL"),
        }
    }
}

/// A result: names of the columns and rows of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Column names in order.
    pub columns: Vec<String>,
    /// Rows; each has one cell a column.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Returns the rows, whose cells are found by the names of their columns.
    pub fn named(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row {
            columns: &self.columns,
            cells,
        })
    }
}

/// A row whose cells are found by the names of their columns; a column that is not there is NULL.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    cells: &'a [Cell],
}

impl<'a> Row<'a> {
    /// Returns the cell.
    #[must_use]
    pub fn get(&self, column: &str) -> &'a Cell {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).unwrap_or(&Cell::Null)
    }

    /// Returns the text, as it is stored.
    #[must_use]
    pub fn raw(&self, column: &str) -> Option<&'a str> {
        match self.get(column) {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the time.
    #[must_use]
    pub fn time(&self, column: &str) -> Option<Time> {
        match self.get(column) {
            Cell::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// Returns the whole number.
    #[must_use]
    pub fn int(&self, column: &str) -> Option<i64> {
        match self.get(column) {
            Cell::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the number.
    #[must_use]
    pub fn float(&self, column: &str) -> Option<f64> {
        match self.get(column) {
            Cell::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns whether it is true.
    #[must_use]
    pub fn is_true(&self, column: &str) -> bool {
        *self.get(column) == Cell::Bool(true)
    }
}
