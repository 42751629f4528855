//! SQL functions written here: zones (DuckDB is built without ICU), networks, causes.
//!
//! `local_time(t)` is the UTC time `t` on the system's clock, `in_zone(t, zone)` on the clock of that zone (a name, an
//! offset such as `+02:00`, or `localtime` for the system's),
//! `ip_in(address, network)` whether the address lies in the network, `ip_network(address)` the network that one customer
//! or office mostly has: /24 of IPv4, /64 of IPv6; what is no address stays as it is.
//! `cause(reason, dsn, rule)` is the cause that a text and its codes tell, `cause_dnsbl` the block list in it; an empty text
//! stands for a code or rule that is not known. `address_key(address)` is what the columns `recipient_key` and its like have for
//! the address, `address_within(address)` the address that SRS, BATV or VERP made it of. NULL in, NULL out.
//! `scope_text(text, scope, own)` is the text without addresses that are neither in the scope nor among the own ones, a line each.
//!
//! Limits: a time outside the years that zones are known for (and `infinity`) is returned unchanged.

use crate::cause::{Causes, Evidence, Finding};
use crate::model::scope::Scope;
use crate::model::{ip, key, within};
use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use duckdb::Connection;
use duckdb::arrow::array::{
    Array, AsArray, BooleanArray, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray, UInt16Array,
};
use duckdb::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use duckdb::vscalar::{ArrowFunctionSignature, VArrowScalar};
use std::cell::RefCell;
use std::error::Error;
use std::sync::Arc;

const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// Registers all functions on the connection's database.
///
/// # Errors
/// When the database fails.
pub fn register(conn: &Connection) -> duckdb::Result<()> {
    conn.register_scalar_function::<LocalTime>("local_time")?;
    conn.register_scalar_function::<InZone>("in_zone")?;
    conn.register_scalar_function::<IpIn>("ip_in")?;
    conn.register_scalar_function::<CauseOf>("cause")?;
    conn.register_scalar_function::<WhichList>("cause_dnsbl")?;
    conn.register_scalar_function::<IpNetwork>("ip_network")?;
    conn.register_scalar_function::<AddressKey>("address_key")?;
    conn.register_scalar_function::<AddressWithin>("address_within")?;
    conn.register_scalar_function::<ScopeText>("scope_text")
}

struct LocalTime;

impl VArrowScalar for LocalTime {
    type State = ();

    fn invoke((): &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let shown = times(&input, 0)?.unary::<_, TimestampMicrosecondType>(|t| on_clock(t, &Local));
        Ok(Arc::new(shown))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![TIMESTAMP], TIMESTAMP)]
    }
}

struct InZone;

impl VArrowScalar for InZone {
    type State = ();

    fn invoke((): &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let (times, zones) = (times(&input, 0)?, texts(&input, 1)?);
        // The zone is nearly always the same in all rows; finding it by name is the dear part.
        let mut last: Option<(&str, Clock)> = None;
        let mut shown = TimestampMicrosecondArray::builder(times.len());
        for (time, name) in times.iter().zip(zones) {
            let (Some(time), Some(name)) = (time, name) else {
                shown.append_null();
                continue;
            };
            let zone = match last {
                Some((known, zone)) if known == name => zone,
                _ => Clock::named(name).ok_or_else(|| format!("unknown time zone {name:?}"))?,
            };
            last = Some((name, zone));
            shown.append_value(zone.shows(time));
        }
        Ok(Arc::new(shown.finish()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(
            vec![TIMESTAMP, DataType::Utf8],
            TIMESTAMP,
        )]
    }
}

/// A clock by name.
#[derive(Clone, Copy)]
enum Clock {
    Named(Tz),
    Fixed(FixedOffset),
    System,
}

impl Clock {
    fn named(name: &str) -> Option<Self> {
        if name == "localtime" {
            return Some(Self::System);
        }
        let zone = name.parse().map(Self::Named).ok();
        zone.or_else(|| name.parse().map(Self::Fixed).ok())
    }

    fn shows(self, time: i64) -> i64 {
        match self {
            Self::Named(zone) => on_clock(time, &zone),
            Self::Fixed(offset) => on_clock(time, &offset),
            Self::System => on_clock(time, &Local),
        }
    }
}

struct IpIn;

impl VArrowScalar for IpIn {
    type State = ();

    fn invoke((): &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let (addresses, networks) = (texts(&input, 0)?, texts(&input, 1)?);
        let inside: BooleanArray = addresses
            .iter()
            .zip(networks)
            .map(|(address, network)| Some(ip::contains(network?, address?)))
            .collect();
        Ok(Arc::new(inside))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(
            vec![DataType::Utf8, DataType::Utf8],
            DataType::Boolean,
        )]
    }
}

thread_local! {
    /// What was found for texts that are alike.
    static CAUSES: RefCell<Causes> = RefCell::default();
}

struct CauseOf;

impl VArrowScalar for CauseOf {
    type State = ();

    fn invoke((): &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        Ok(Arc::new(found(&input, |finding| Some(finding.cause))?))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![three_texts()]
    }
}

struct WhichList;

impl VArrowScalar for WhichList {
    type State = ();

    fn invoke((): &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        Ok(Arc::new(found(&input, |finding| finding.dnsbl)?))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![three_texts()]
    }
}

fn three_texts() -> ArrowFunctionSignature {
    ArrowFunctionSignature::exact(vec![DataType::Utf8; 3], DataType::Utf8)
}

fn found(
    input: &RecordBatch,
    part: impl for<'a> Fn(Finding<'a>) -> Option<&'a str>,
) -> Result<StringArray, Box<dyn Error>> {
    let (reasons, codes, rules) = (texts(input, 0)?, texts(input, 1)?, texts(input, 2)?);
    Ok(CAUSES.with_borrow_mut(|causes| {
        let rows = reasons.iter().zip(codes).zip(rules);
        rows.map(|((reason, dsn), rule)| {
            part(causes.find(&Evidence {
                reason: reason?,
                dsn: dsn.filter(|dsn| !dsn.is_empty()),
                rule: rule.filter(|rule| !rule.is_empty()),
                dnsbl: None,
            }))
        })
        .collect()
    }))
}

struct IpNetwork;

impl VArrowScalar for IpNetwork {
    type State = ();

    fn invoke((): &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let network = |address: &str| ip::network(address).unwrap_or_else(|| address.to_owned());
        let networks: StringArray = texts(&input, 0)?
            .iter()
            .map(|address| address.map(network))
            .collect();
        Ok(Arc::new(networks))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(
            vec![DataType::Utf8],
            DataType::Utf8,
        )]
    }
}

struct AddressKey;

impl VArrowScalar for AddressKey {
    type State = ();

    fn invoke((): &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let addresses = texts(&input, 0)?.iter();
        let keys: UInt16Array = addresses.map(|address| address.map(key::of)).collect();
        Ok(Arc::new(keys))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(
            vec![DataType::Utf8],
            DataType::UInt16,
        )]
    }
}

struct AddressWithin;

impl VArrowScalar for AddressWithin {
    type State = ();

    fn invoke((): &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let addresses = texts(&input, 0)?.iter();
        let found: StringArray = addresses
            .map(|address| address.and_then(within::of))
            .collect();
        Ok(Arc::new(found))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(
            vec![DataType::Utf8],
            DataType::Utf8,
        )]
    }
}

struct ScopeText;

impl VArrowScalar for ScopeText {
    type State = ();

    fn invoke((): &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let (shown, scopes, own) = (texts(&input, 0)?, texts(&input, 1)?, texts(&input, 2)?);
        // The scope is the same in all rows of a view.
        let mut last: Option<(&str, Scope)> = None;
        let mut hidden = StringBuilder::new();
        for ((text, words), own) in shown.iter().zip(scopes).zip(own) {
            let (Some(text), Some(words)) = (text, words) else {
                hidden.append_null();
                continue;
            };
            let scope = match &last {
                Some((known, scope)) if *known == words => scope,
                _ => {
                    &last
                        .insert((words, Scope::of(&words.lines().collect::<Vec<_>>())?))
                        .1
                }
            };
            let own: Vec<&str> = own.unwrap_or_default().lines().collect();
            hidden.append_value(scope.hide(text, &own));
        }
        Ok(Arc::new(hidden.finish()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(
            vec![DataType::Utf8; 3],
            DataType::Utf8,
        )]
    }
}

/// Returns what the clock of the zone shows at the time, as microseconds of a zone-less time.
fn on_clock<Z: TimeZone>(micros: i64, zone: &Z) -> i64 {
    let utc = DateTime::from_timestamp_micros(micros);
    let shown: Option<NaiveDateTime> =
        utc.map(|utc| zone.from_utc_datetime(&utc.naive_utc()).naive_local());
    shown.map_or(micros, |shown| shown.and_utc().timestamp_micros())
}

fn times(input: &RecordBatch, column: usize) -> Result<&TimestampMicrosecondArray, Box<dyn Error>> {
    let found = input.columns().get(column);
    Ok(found
        .and_then(|array| array.as_primitive_opt())
        .ok_or("no timestamps in the argument")?)
}

fn texts(input: &RecordBatch, column: usize) -> Result<&StringArray, Box<dyn Error>> {
    let found = input.columns().get(column);
    Ok(found
        .and_then(|array| array.as_string_opt())
        .ok_or("no text in the argument")?)
}
