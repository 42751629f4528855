//! Values between the database and a client: cells to PostgreSQL's text and binary forms, parameters back.
//!
//! Limits: struct fields and map keys go out as JSON; lists of lists as JSON, too; lists have one dimension.

use super::failure::Failure;
use super::message::Field;
use crate::model::kind::{Column, Kind};
use crate::model::packed;
use crate::model::table::{Cell, Param};
use crate::model::time::Time;
use bytes::{Buf, BufMut, BytesMut};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use pgwire::api::Type;
use std::fmt::Write;

/// Microseconds from 1970 to 2000, PostgreSQL's beginning of time.
const EPOCH: i64 = 946_684_800_000_000;
const DAY: i64 = crate::model::time::DAY;

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

/// Reads a parameter that a client sent as a value of the type.
pub(super) fn param(kind: &Type, bytes: &[u8], is_binary: bool) -> Result<Param, Failure> {
    let read = if is_binary {
        param_binary(kind, bytes)
    } else {
        std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| param_text(kind, text))
    };
    read.ok_or_else(|| {
        let shown = if is_binary {
            "bytes".to_owned()
        } else {
            format!("{:?}", String::from_utf8_lossy(bytes))
        };
        let message = format!("invalid input for type {}: {shown}", kind.name());
        Failure::new(if is_binary { "22P03" } else { "22P02" }, message)
    })
}

/// Returns a value of the type, by which a statement is described: functions are chosen by the types of what they are
/// given, and a NULL has none. Text stays NULL, because an empty one may not be what it is cast to.
pub(super) fn example(kind: &Type) -> Param {
    match *kind {
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => Param::Int(0),
        Type::FLOAT4 | Type::FLOAT8 => Param::Float(0.0),
        Type::BOOL => Param::Bool(false),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => Param::Time(Time(0)),
        _ => Param::Null,
    }
}

fn param_text(kind: &Type, text: &str) -> Option<Param> {
    if let Some(inner) = element(kind) {
        return list(&inner, text);
    }
    let trimmed = text.trim();
    Some(match *kind {
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => Param::Int(trimmed.parse().ok()?),
        Type::FLOAT4 | Type::FLOAT8 => Param::Float(trimmed.parse().ok()?),
        Type::NUMERIC => number(trimmed)?,
        Type::BOOL => match trimmed.to_ascii_lowercase().as_str() {
            "t" | "true" | "1" | "on" | "yes" | "y" => Param::Bool(true),
            "f" | "false" | "0" | "off" | "no" | "n" => Param::Bool(false),
            _ => return None,
        },
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            time(trimmed).map_or_else(|| Param::Text(text.to_owned()), Param::Time)
        }
        Type::BYTEA => Param::Blob(hex(trimmed.strip_prefix("\\x")?)?),
        _ => Param::Text(text.to_owned()),
    })
}

fn param_binary(kind: &Type, mut bytes: &[u8]) -> Option<Param> {
    if let Some(inner) = element(kind) {
        return list_binary(&inner, bytes);
    }
    let length = bytes.len();
    let fits = |wanted: usize| (length == wanted).then_some(());
    Some(match *kind {
        Type::BOOL => Param::Bool(fits(1).map(|()| bytes.get_u8() != 0)?),
        Type::INT2 => Param::Int(fits(2).map(|()| bytes.get_i16().into())?),
        Type::INT4 => Param::Int(fits(4).map(|()| bytes.get_i32().into())?),
        Type::OID => Param::Int(fits(4).map(|()| bytes.get_u32().into())?),
        Type::INT8 => Param::Int(fits(8).map(|()| bytes.get_i64())?),
        Type::FLOAT4 => Param::Float(fits(4).map(|()| bytes.get_f32().into())?),
        Type::FLOAT8 => Param::Float(fits(8).map(|()| bytes.get_f64())?),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            Param::Time(Time(fits(8).map(|()| bytes.get_i64())?.checked_add(EPOCH)?))
        }
        Type::DATE => {
            let days = fits(4).map(|()| bytes.get_i32())?;
            Param::Time(Time(i64::from(days) * DAY + EPOCH))
        }
        Type::NUMERIC => number(&numeric_text(bytes)?)?,
        Type::BYTEA => Param::Blob(bytes.to_vec()),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON => {
            Param::Text(std::str::from_utf8(bytes).ok()?.to_owned())
        }
        Type::JSONB => Param::Text(std::str::from_utf8(bytes.get(1..)?).ok()?.to_owned()),
        Type::UUID => {
            fits(16)?;
            let mut text = String::new();
            for (index, byte) in bytes.iter().enumerate() {
                let dash = if matches!(index, 4 | 6 | 8 | 10) {
                    "-"
                } else {
                    ""
                };
                let _ = write!(text, "{dash}{byte:02x}");
            }
            Param::Text(text)
        }
        Type::TIME => {
            let micros = fits(8).map(|()| bytes.get_i64())?;
            let time = NaiveTime::MIN
                .overflowing_add_signed(chrono::TimeDelta::microseconds(micros))
                .0;
            Param::Text(time.format("%H:%M:%S%.f").to_string())
        }
        _ => return None,
    })
}

/// An exact number: whole ones stay whole.
fn number(text: &str) -> Option<Param> {
    match text.parse() {
        Ok(whole) => Some(Param::Int(whole)),
        Err(_) => text.parse().ok().map(Param::Float),
    }
}

fn numeric_text(mut bytes: &[u8]) -> Option<String> {
    if bytes.len() < 8 {
        return None;
    }
    let (groups, weight) = (bytes.get_u16(), i32::from(bytes.get_i16()));
    let (sign, behind) = (bytes.get_u16(), bytes.get_u16());
    if sign == 0xC000 {
        return Some("NaN".to_owned());
    }
    if bytes.len() != usize::from(groups) * 2 {
        return None;
    }
    let mut text = if sign == 0x4000 { "-" } else { "" }.to_owned();
    let digits: Vec<u16> = (0..groups).map(|_| bytes.get_u16()).collect();
    let group = |at: i32| {
        usize::try_from(at)
            .ok()
            .and_then(|at| digits.get(at))
            .copied()
            .unwrap_or(0)
    };
    let mut whole: String = (0..=weight.min(40))
        .map(|at| format!("{:04}", group(at)))
        .collect();
    if whole.is_empty() {
        whole.push('0');
    }
    let rest =
        (1..=i32::from(behind).div_euclid(4) + 1).map(|at| format!("{:04}", group(weight + at)));
    let rest: String = rest.collect();
    text.push_str(whole.trim_start_matches('0'));
    if text.is_empty() || text == "-" {
        text.push('0');
    }
    if behind > 0 {
        let _ = write!(text, ".{}", rest.get(..usize::from(behind))?);
    }
    Some(text)
}

/// Reads a time with or without a zone; without one it is UTC.
fn time(text: &str) -> Option<Time> {
    let utc = |t: NaiveDateTime| Time(t.and_utc().timestamp_micros());
    for form in ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"] {
        if let Ok(t) = DateTime::parse_from_str(text, form) {
            return Some(Time(t.timestamp_micros()));
        }
    }
    for form in [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.fZ",
    ] {
        if let Ok(t) = NaiveDateTime::parse_from_str(text, form) {
            return Some(utc(t));
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    day.and_hms_opt(0, 0, 0).map(utc)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok()
        })
        .collect()
}

/// Returns the type of the elements of an array type.
fn element(kind: &Type) -> Option<Type> {
    let known = [
        (Type::BOOL_ARRAY, Type::BOOL),
        (Type::INT2_ARRAY, Type::INT2),
        (Type::INT4_ARRAY, Type::INT4),
        (Type::INT8_ARRAY, Type::INT8),
        (Type::OID_ARRAY, Type::OID),
        (Type::FLOAT4_ARRAY, Type::FLOAT4),
        (Type::FLOAT8_ARRAY, Type::FLOAT8),
        (Type::NUMERIC_ARRAY, Type::NUMERIC),
        (Type::TEXT_ARRAY, Type::TEXT),
        (Type::VARCHAR_ARRAY, Type::VARCHAR),
        (Type::TIMESTAMP_ARRAY, Type::TIMESTAMP),
        (Type::TIMESTAMPTZ_ARRAY, Type::TIMESTAMPTZ),
        (Type::DATE_ARRAY, Type::DATE),
    ];
    known
        .into_iter()
        .find_map(|(array, inner)| (array == *kind).then_some(inner))
}

/// Reads `{a,"b,c",NULL}`.
fn list(inner: &Type, text: &str) -> Option<Param> {
    let body = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut params = Vec::new();
    let mut chars = body.chars().peekable();
    while chars.peek().is_some() {
        let (mut item, mut is_quoted) = (String::new(), false);
        let mut inside = false;
        loop {
            match chars.next() {
                None => break,
                Some(',') if !inside => break,
                Some('"') => {
                    inside = !inside;
                    is_quoted = true;
                }
                Some('\\') => item.push(chars.next()?),
                Some('{' | '}') if !inside => return None,
                Some(c) => item.push(c),
            }
        }
        params.push(match item.trim() {
            word if !is_quoted && word.eq_ignore_ascii_case("null") => Param::Null,
            word if !is_quoted => param_text(inner, word)?,
            _ => param_text(inner, &item)?,
        });
    }
    Some(Param::List(params))
}

fn list_binary(inner: &Type, mut bytes: &[u8]) -> Option<Param> {
    let number = |bytes: &mut &[u8]| (bytes.len() >= 4).then(|| bytes.get_i32());
    let dimensions = number(&mut bytes)?;
    let _ = (number(&mut bytes)?, number(&mut bytes)?);
    if dimensions == 0 {
        return Some(Param::List(Vec::new()));
    }
    let (count, _) = (number(&mut bytes)?, number(&mut bytes)?);
    if dimensions != 1 {
        return None;
    }
    let params = (0..count).map(|_| match usize::try_from(number(&mut bytes)?) {
        Err(_) => Some(Param::Null),
        Ok(length) => {
            let (value, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            param_binary(inner, value)
        }
    });
    params.collect::<Option<_>>().map(Param::List)
}
