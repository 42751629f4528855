//! Values for a client: cells in PostgreSQL's text and binary forms.
//!
//! Limits: struct fields and map keys go out as JSON; lists of lists as JSON, too.

use super::message::Field;
use crate::model::kind::{Column, Kind};
use crate::model::packed;
use crate::model::table::Cell;
use crate::model::time::Time;
use bytes::{BufMut, BytesMut};
use chrono::{DateTime, NaiveDate, NaiveTime};
use pgwire::api::Type;
use std::fmt::Write;

/// Microseconds from 1970 to 2000, PostgreSQL's beginning of time.
pub(super) const EPOCH: i64 = 946_684_800_000_000;
pub(super) const DAY: i64 = crate::model::time::DAY;

/// Returns PostgreSQL's type of a kind.
pub(super) fn kind_type(kind: &Kind) -> Type {
    match kind {
        Kind::Bool => Type::BOOL,
        Kind::Int2 => Type::INT2,
        Kind::Int4 => Type::INT4,
        Kind::Int8 => Type::INT8,
        Kind::Float4 => Type::FLOAT4,
        Kind::Float8 => Type::FLOAT8,
        Kind::Numeric(_) => Type::NUMERIC,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
        Kind::Timestamp => Type::TIMESTAMP,
        Kind::TimestampTz => Type::TIMESTAMPTZ,
        Kind::Date => Type::DATE,
        Kind::Clock => Type::TIME,
        Kind::Interval => Type::INTERVAL,
        Kind::Json => Type::JSON,
        Kind::List(inner) => match inner.as_ref() {
            Kind::Bool => Type::BOOL_ARRAY,
            Kind::Int2 => Type::INT2_ARRAY,
            Kind::Int4 => Type::INT4_ARRAY,
            Kind::Int8 => Type::INT8_ARRAY,
            Kind::Float4 => Type::FLOAT4_ARRAY,
            Kind::Float8 => Type::FLOAT8_ARRAY,
            Kind::Numeric(_) => Type::NUMERIC_ARRAY,
            Kind::Text => Type::TEXT_ARRAY,
            Kind::Bytes => Type::BYTEA_ARRAY,
            Kind::Timestamp => Type::TIMESTAMP_ARRAY,
            Kind::TimestampTz => Type::TIMESTAMPTZ_ARRAY,
            Kind::Date => Type::DATE_ARRAY,
            Kind::Clock => Type::TIME_ARRAY,
            Kind::Interval => Type::INTERVAL_ARRAY,
            Kind::Json => Type::JSON_ARRAY,
            Kind::List(_) => Type::JSON,
        },
    }
}

/// Returns the description of a column.
pub(super) fn field(column: &Column) -> Field {
    let size = match column.kind {
        Kind::Bool => 1,
        Kind::Int2 => 2,
        Kind::Int4 | Kind::Float4 | Kind::Date => 4,
        Kind::Int8 | Kind::Float8 | Kind::Timestamp | Kind::TimestampTz | Kind::Clock => 8,
        Kind::Interval => 16,
        _ => -1,
    };
    let modifier = match column.kind {
        Kind::Numeric(Some((digits, behind))) => (i32::from(digits) << 16 | i32::from(behind)) + 4,
        _ => -1,
    };
    Field {
        name: column.name.clone(),
        oid: kind_type(&column.kind).oid(),
        size,
        modifier,
    }
}

/// Puts a value with its length; NULL has the length -1.
pub(super) fn put(out: &mut BytesMut, cell: &Cell, kind: &Kind, is_binary: bool) {
    if *cell == Cell::Null {
        out.put_i32(-1);
        return;
    }
    let at = out.len();
    out.put_i32(0);
    if !(is_binary && binary(out, cell, kind).is_some()) {
        out.truncate(at + 4);
        let _ = write!(out, "{}", text(cell, kind));
    }
    let length = u32::try_from(out.len() - at - 4).unwrap_or(0);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// Puts the packed form of a cell, for our own client.
pub(super) fn put_packed(out: &mut BytesMut, cell: &Cell) {
    match packed::pack(cell) {
        None => out.put_i32(-1),
        Some(text) => {
            out.put_u32(u32::try_from(text.len()).unwrap_or(0));
            out.put_slice(text.as_bytes());
        }
    }
}

/// Returns the text form of a value that is not NULL.
pub(super) fn text(cell: &Cell, kind: &Kind) -> String {
    match (cell, kind) {
        (Cell::List(_), Kind::List(inner)) if matches!(**inner, Kind::List(_)) => json(cell),
        (Cell::List(cells), Kind::List(inner)) => array(cells, inner),
        (Cell::List(_) | Cell::Struct(_), _) => json(cell),
        (Cell::Bool(truth), _) => if *truth { "t" } else { "f" }.to_owned(),
        (Cell::Int(number), _) => number.to_string(),
        (Cell::Big(number), _) => number.to_string(),
        (Cell::Float(number), _) => float(*number),
        (Cell::Text(text), Kind::Interval) => {
            text.replace("months", "mons").replace("month", "mon")
        }
        (Cell::Text(text), _) => match text.strip_suffix(" (BC)") {
            Some(date) if *kind == Kind::Date => format!("{date} BC"),
            _ => text.replace('\0', "\u{fffd}"),
        },
        (Cell::Time(time), Kind::TimestampTz) => format!("{}+00", stamp(*time)),
        (Cell::Time(time), _) => stamp(*time),
        (Cell::Blob(bytes), _) => {
            let mut shown = "\\x".to_owned();
            for byte in bytes {
                let _ = write!(shown, "{byte:02x}");
            }
            shown
        }
        (Cell::Null, _) => String::new(),
    }
}

fn float(number: f64) -> String {
    match number {
        n if n.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        n if n != 0.0 && !(1e-5..1e15).contains(&n.abs()) => {
            // PostgreSQL writes 1e+20.
            format!("{n:e}").replace('e', "e+").replace("e+-", "e-")
        }
        n => n.to_string(),
    }
}

/// Returns `2026-11-20 10:00:00.5`.
fn stamp(time: Time) -> String {
    match DateTime::from_timestamp_micros(time.0) {
        Some(t) => {
            let shown = t.format("%Y-%m-%d %H:%M:%S").to_string();
            let fraction = time.0.rem_euclid(1_000_000);
            if fraction == 0 {
                return shown;
            }
            let digits = format!("{fraction:06}");
            format!("{shown}.{}", digits.trim_end_matches('0'))
        }
        None if time.0 > 0 => "infinity".to_owned(),
        None => "-infinity".to_owned(),
    }
}

fn array(cells: &[Cell], inner: &Kind) -> String {
    let shown = cells.iter().map(|cell| match cell {
        Cell::Null => "NULL".to_owned(),
        cell => {
            let text = text(cell, inner);
            let plain = |c: char| c.is_ascii_alphanumeric() || "-+.:_@/".contains(c);
            if !text.is_empty() && text.chars().all(plain) && !text.eq_ignore_ascii_case("null") {
                return text;
            }
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
    });
    format!("{{{}}}", shown.collect::<Vec<_>>().join(","))
}

fn json(cell: &Cell) -> String {
    fn value(cell: &Cell) -> serde_json::Value {
        match cell {
            Cell::Null => serde_json::Value::Null,
            Cell::Bool(truth) => (*truth).into(),
            Cell::Int(number) => (*number).into(),
            Cell::Float(number) => (*number).into(),
            Cell::List(cells) => cells.iter().map(value).collect(),
            Cell::Struct(fields) => serde_json::Value::Object(
                fields
                    .iter()
                    .map(|(name, cell)| (name.clone(), value(cell)))
                    .collect(),
            ),
            other => text(other, &Kind::Text).into(),
        }
    }
    value(cell).to_string()
}

/// Puts the binary form; none when there is none, and the text form has to do.
fn binary(out: &mut BytesMut, cell: &Cell, kind: &Kind) -> Option<()> {
    match (kind, cell) {
        (Kind::Bool, Cell::Bool(truth)) => out.put_u8((*truth).into()),
        (Kind::Int2, Cell::Int(number)) => out.put_i16(i16::try_from(*number).ok()?),
        (Kind::Int4, Cell::Int(number)) => out.put_i32(i32::try_from(*number).ok()?),
        (Kind::Int8, Cell::Int(number)) => out.put_i64(*number),
        #[expect(clippy::cast_possible_truncation, reason = "it was one before")]
        (Kind::Float4, Cell::Float(number)) => out.put_f32(*number as f32),
        (Kind::Float8, Cell::Float(number)) => out.put_f64(*number),
        #[expect(clippy::cast_precision_loss, reason = "what a float can hold")]
        (Kind::Float8, Cell::Int(number)) => out.put_f64(*number as f64),
        (Kind::Numeric(_), Cell::Int(_) | Cell::Big(_) | Cell::Text(_)) => {
            numeric(out, &text(cell, kind))?;
        }
        (Kind::Timestamp | Kind::TimestampTz, Cell::Time(time)) => {
            out.put_i64(time.0.checked_sub(EPOCH)?);
        }
        (Kind::Timestamp | Kind::TimestampTz, Cell::Text(text)) => match text.as_str() {
            "infinity" => out.put_i64(i64::MAX),
            "-infinity" => out.put_i64(i64::MIN),
            _ => return None,
        },
        (Kind::Date, Cell::Text(text)) => match text.as_str() {
            "infinity" => out.put_i32(i32::MAX),
            "-infinity" => out.put_i32(i32::MIN),
            text => {
                let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
                let days = date.signed_duration_since(NaiveDate::from_ymd_opt(2000, 1, 1)?);
                out.put_i32(i32::try_from(days.num_days()).ok()?);
            }
        },
        (Kind::Clock, Cell::Text(text)) => {
            let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()?;
            let since = time.signed_duration_since(NaiveTime::MIN);
            out.put_i64(since.num_microseconds()?);
        }
        (Kind::Interval, Cell::Text(text)) => interval(out, text)?,
        (Kind::Bytes, Cell::Blob(bytes)) => out.put_slice(bytes),
        (Kind::List(inner), Cell::List(cells)) if !matches!(**inner, Kind::List(_)) => {
            out.put_i32((!cells.is_empty()).into());
            out.put_i32(cells.contains(&Cell::Null).into());
            out.put_u32(kind_type(inner).oid());
            if !cells.is_empty() {
                out.put_i32(i32::try_from(cells.len()).ok()?);
                out.put_i32(1);
            }
            for cell in cells {
                put(out, cell, inner, true);
            }
        }
        // The binary form of these is their text.
        (Kind::Text | Kind::Json, _) => return None,
        (Kind::List(inner), _) if matches!(**inner, Kind::List(_)) => return None,
        _ => {
            // Of another type than was described: better nothing than other bytes.
            return None;
        }
    }
    Some(())
}

/// Puts digits in groups of four, as PostgreSQL keeps them.
fn numeric(out: &mut BytesMut, text: &str) -> Option<()> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let padded = format!(
        "{}{whole}{part}{}",
        "0".repeat((4 - whole.len() % 4) % 4),
        "0".repeat((4 - part.len() % 4) % 4)
    );
    let groups: Vec<i16> = padded
        .as_bytes()
        .chunks(4)
        .map(|group| std::str::from_utf8(group).ok()?.parse().ok())
        .collect::<Option<_>>()?;
    let weight = i16::try_from(whole.len().div_ceil(4)).ok()? - 1;
    out.put_u16(u16::try_from(groups.len()).ok()?);
    out.put_i16(weight);
    out.put_u16(if is_negative { 0x4000 } else { 0 });
    out.put_u16(u16::try_from(part.len()).ok()?);
    for group in groups {
        out.put_i16(group);
    }
    Some(())
}

/// Reads DuckDB's `1 year 2 months 3 days 04:05:06.5`.
fn interval(out: &mut BytesMut, text: &str) -> Option<()> {
    let (mut months, mut days, mut micros) = (0_i32, 0_i32, 0_i64);
    let mut words = text.split(' ');
    while let Some(word) = words.next() {
        if word.contains(':') {
            let (sign, clock) = word
                .strip_prefix('-')
                .map_or((1, word), |clock| (-1, clock));
            let mut parts = clock.split(':');
            let hours: i64 = parts.next()?.parse().ok()?;
            let minutes: i64 = parts.next()?.parse().ok()?;
            let (seconds, fraction) = parts
                .next()?
                .split_once('.')
                .unwrap_or((clock.rsplit(':').next()?, ""));
            let seconds: i64 = seconds.parse().ok()?;
            let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
            micros = sign * (((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction);
            continue;
        }
        let number: i32 = word.parse().ok()?;
        match words.next()? {
            "year" | "years" => months += number * 12,
            "month" | "months" => months += number,
            "day" | "days" => days += number,
            _ => return None,
        }
    }
    out.put_i64(micros);
    out.put_i32(days);
    out.put_i32(months);
    Some(())
}
