//! Answers for clients of other makes: rows with the types of their columns, and those types before there are rows.
//!
//! Limits: a parameter that stands where any type would do (`SELECT $1`) makes a column of text.

use super::cell;
use super::error::Error;
use super::param::value;
use super::select::Session;
use crate::model::kind::{Column, Kind};
use crate::model::table::{Cell, Param};
use duckdb::arrow::datatypes::{DataType, IntervalUnit};
use duckdb::params_from_iter;
use std::ops::ControlFlow;

/// What is to be done with a `SELECT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Run it.
    Select,
    /// Show how it would be run.
    Explain,
    /// Run it and show how that went.
    Analyze,
}

impl Session {
    /// Runs one `SELECT`: `head` gets the columns, `row` the rows as they come until it breaks.
    pub fn answer(
        &self,
        verb: Verb,
        sql: &str,
        params: &[Param],
        head: impl FnOnce(Vec<Column>),
        mut row: impl FnMut(Vec<Cell>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.refuse_others(sql)?;
        match verb {
            Verb::Select => self.stream(sql, params, head, &mut row),
            Verb::Explain => self.stream(&format!("EXPLAIN\n{sql}"), params, head, &mut row),
            Verb::Analyze => {
                self.stream(&format!("EXPLAIN ANALYZE\n{sql}"), params, head, &mut row)
            }
        }
    }

    /// Returns the columns that one `SELECT` would have.
    pub fn describe(&self, sql: &str, params: &[Param]) -> Result<Vec<Column>, Error> {
        self.refuse_others(sql)?;
        let mut columns = Vec::new();
        let described = self.stream(&format!("DESCRIBE\n{sql}"), params, drop, &mut |cells| {
            if let [Cell::Text(name), Cell::Text(kind), ..] = cells.as_slice() {
                columns.push(Column {
                    name: name.clone(),
                    kind: Kind::of_type(kind),
                });
            }
            ControlFlow::Continue(())
        });
        match described {
            Ok(()) => Ok(columns),
            // The place is told for the text as the client sent it.
            Err(Error::Sql { message, .. }) => Err(Error::Sql {
                statement: sql.to_owned(),
                message: line_before(&message),
            }),
            Err(error) => Err(error),
        }
    }

    /// Makes what the connection alone sees: temporary views and macros.
    pub fn furnish(&self, sql: &str) -> Result<(), Error> {
        let made = self.conn.execute_batch(sql);
        made.map_err(|error| Error::sort(self.path.as_deref(), sql, &error))
    }

    fn stream(
        &self,
        sql: &str,
        params: &[Param],
        head: impl FnOnce(Vec<Column>),
        row: &mut impl FnMut(Vec<Cell>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let sort = |error: duckdb::Error| Error::sort(self.path.as_deref(), sql, &error);
        let begin = "BEGIN TRANSACTION READ ONLY";
        self.conn.execute_batch(begin).map_err(sort)?;
        let done = self.rows(sql, params, head, row).map_err(sort);
        let _ = self.conn.execute_batch("ROLLBACK");
        done
    }

    fn rows(
        &self,
        sql: &str,
        params: &[Param],
        head: impl FnOnce(Vec<Column>),
        row: &mut impl FnMut(Vec<Cell>) -> ControlFlow<()>,
    ) -> duckdb::Result<()> {
        let mut statement = self.conn.prepare(sql)?;
        let batches = statement.stream_arrow(params_from_iter(params.iter().map(value)))?;
        let schema = batches.get_schema();
        let columns = schema.fields().iter().map(|field| Column {
            name: field.name().clone(),
            kind: kind(field.data_type()),
        });
        head(columns.collect());
        for batch in batches {
            let batch = batch?;
            for index in 0..batch.num_rows() {
                if row(cell::row(&batch, index)).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn kind(data: &DataType) -> Kind {
    match data {
        DataType::Boolean => Kind::Bool,
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => Kind::Int2,
        DataType::Int32 | DataType::UInt16 => Kind::Int4,
        DataType::Int64 | DataType::UInt32 => Kind::Int8,
        // HUGEINT comes as the longest decimal.
        DataType::UInt64 | DataType::Decimal128(38, 0) => Kind::Numeric(None),
        DataType::Float32 => Kind::Float4,
        DataType::Float64 => Kind::Float8,
        DataType::Decimal32(digits, behind)
        | DataType::Decimal64(digits, behind)
        | DataType::Decimal128(digits, behind) => {
            Kind::Numeric(u8::try_from(*behind).ok().map(|behind| (*digits, behind)))
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Kind::Bytes,
        DataType::Timestamp(_, None) => Kind::Timestamp,
        DataType::Timestamp(_, Some(_)) => Kind::TimestampTz,
        DataType::Date32 => Kind::Date,
        DataType::Time64(_) => Kind::Clock,
        DataType::Interval(IntervalUnit::MonthDayNano) => Kind::Interval,
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Kind::List(Box::new(kind(field.data_type())))
        }
        DataType::Struct(_) | DataType::Map(..) => Kind::Json,
        _ => Kind::Text,
    }
}

/// Turns `LINE 3: ...` into `LINE 2: ...`: a line was put in front of the statement.
fn line_before(message: &str) -> String {
    let Some((text, place)) = message.rsplit_once("\n\nLINE ") else {
        return message.to_owned();
    };
    let Some((number, rest)) = place.split_once(':') else {
        return message.to_owned();
    };
    match number.parse::<usize>() {
        Ok(number) => format!("{text}\n\nLINE {}:{rest}", number.saturating_sub(1)),
        Err(_) => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn described_kinds_are_those_of_the_rows() {
        let store = Store::open_in_memory().unwrap();
        let session = store.session().unwrap();
        for sql in [
            "SELECT 1 AS a, 2 AS a, 3::HUGEINT, 1.5, 1.5::FLOAT, 'x', NULL, true, now(), DATE '2026-01-01'",
            "SELECT [1], [['x']], {'a': 1}, MAP {'a': 1}, TIME '01:02:03', INTERVAL 1 DAY, '\\x01'::BLOB, 1::USMALLINT",
            "SELECT * FROM delivery_to",
            "WITH x AS (SELECT $1::BIGINT AS n) SELECT n FROM x WHERE n = $2",
            "FROM coverage SELECT host, lines",
            "VALUES (1, 'a')",
            "TABLE meta",
            "SELECT $1",
        ] {
            let most = (1..3).filter(|n| sql.contains(&format!("${n}"))).count();
            let params = vec![Param::Null; most];
            let described = session.describe(sql, &params).unwrap();
            let mut found = Vec::new();
            let row = |_| ControlFlow::Continue(());
            session
                .answer(Verb::Select, sql, &params, |columns| found = columns, row)
                .unwrap();
            let untyped = |kind: &Kind| matches!(kind, Kind::Text | Kind::Int4);
            assert_eq!(described.len(), found.len(), "{sql}");
            for (described, found) in described.iter().zip(&found) {
                let same = described == found || untyped(&described.kind) && untyped(&found.kind);
                assert!(same, "{sql}: {described:?} {found:?}");
            }
        }
    }

    #[test]
    fn the_place_of_an_error_is_that_in_the_statement() {
        let store = Store::open_in_memory().unwrap();
        let session = store.session().unwrap();
        let sql = "SELECT 1,\n  nosuch FROM delivery_to";
        let described = session.describe(sql, &[]).unwrap_err().to_string();
        assert!(described.contains("LINE 2:   nosuch"), "{described}");
    }
}
