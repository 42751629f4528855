//! Parameters of a client: PostgreSQL's text and binary forms, read as values for the database.
//!
//! Limits: lists have one dimension.

use super::failure::Failure;
use super::value::{DAY, EPOCH};
use crate::model::table::Param;
use crate::model::time::Time;
use bytes::Buf;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use pgwire::api::Type;
use std::fmt::Write;

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
