//! Arrow values of a result -> cells; what has no cell of its own is printed as DuckDB prints it.
//!
//! Limits: Arrow carries `TIME WITH TIME ZONE` without its offset, times below a microsecond are cut off, and a
//! `UHUGEINT` beyond the range of `HUGEINT` is not told from a negative number, `BIT` not from a `BLOB`. `VARIANT`
//! cannot be read at all.

use crate::model::date;
use crate::model::table::Cell;
use crate::model::time::{SECOND, Time};
use duckdb::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UnionArray};
use duckdb::arrow::datatypes::{
    ArrowDictionaryKeyType, DataType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType,
    IntervalUnit, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use std::fmt::Write;

/// Returns the cells of one row.
pub(super) fn row(batch: &RecordBatch, row: usize) -> Vec<Cell> {
    batch
        .columns()
        .iter()
        .map(|column| cell(column, row))
        .collect()
}

fn cell(array: &ArrayRef, row: usize) -> Cell {
    if row >= array.len() || array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Utf8 => text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => text(array.as_string_view().value(row)),
        DataType::Int64 => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => Cell::Int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int16 => Cell::Int(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int8 => Cell::Int(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::UInt8 => Cell::Int(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => Cell::Int(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => Cell::Int(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => int(array.as_primitive::<UInt64Type>().value(row).into()),
        DataType::Float32 => Cell::Float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal32(_, scale) => decimal(
            array.as_primitive::<Decimal32Type>().value(row).into(),
            *scale,
        ),
        DataType::Decimal64(_, scale) => decimal(
            array.as_primitive::<Decimal64Type>().value(row).into(),
            *scale,
        ),
        // HUGEINT comes so, too.
        DataType::Decimal128(38, 0) => int(array.as_primitive::<Decimal128Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)
        }
        DataType::Binary => Cell::Blob(array.as_binary::<i32>().value(row).to_vec()),
        DataType::LargeBinary => Cell::Blob(array.as_binary::<i64>().value(row).to_vec()),
        DataType::BinaryView => Cell::Blob(array.as_binary_view().value(row).to_vec()),
        DataType::FixedSizeBinary(_) => {
            Cell::Blob(array.as_fixed_size_binary().value(row).to_vec())
        }
        _ => time_cell(array, row).unwrap_or_else(|| nested_cell(array, row)),
    }
}

fn time_cell(array: &ArrayRef, row: usize) -> Option<Cell> {
    Some(match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            let seconds = array.as_primitive::<TimestampSecondType>().value(row);
            instant(seconds, seconds.saturating_mul(SECOND))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let millis = array.as_primitive::<TimestampMillisecondType>().value(row);
            instant(millis, millis.saturating_mul(1000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            instant(micros, micros)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let nanos = array.as_primitive::<TimestampNanosecondType>().value(row);
            instant(nanos, nanos.div_euclid(1000))
        }
        DataType::Date32 => Cell::Text(date(array.as_primitive::<Date32Type>().value(row))),
        DataType::Time64(TimeUnit::Microsecond) => {
            let micros = array.as_primitive::<Time64MicrosecondType>().value(row);
            Cell::Text(clock(micros))
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            let nanos = array.as_primitive::<Time64NanosecondType>().value(row);
            Cell::Text(clock(nanos / 1000))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let span = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            Cell::Text(interval(span.months, span.days, span.nanoseconds / 1000))
        }
        _ => return None,
    })
}

fn nested_cell(array: &ArrayRef, row: usize) -> Cell {
    match array.data_type() {
        DataType::List(_) => list(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let values = array.as_struct().columns().iter();
            let names = fields.iter().map(|field| field.name().clone());
            Cell::Struct(names.zip(values.map(|value| cell(value, row))).collect())
        }
        DataType::Map(..) => {
            let entries: ArrayRef = std::sync::Arc::new(array.as_map().value(row));
            let columns = entries.as_struct().columns();
            let (Some(keys), Some(values)) = (columns.first(), columns.get(1)) else {
                return Cell::Null;
            };
            let pair = |entry| (key(&cell(keys, entry)), cell(values, entry));
            Cell::Struct((0..entries.len()).map(pair).collect())
        }
        DataType::Dictionary(kind, _) => match kind.as_ref() {
            DataType::UInt8 => word::<UInt8Type>(array, row),
            DataType::UInt16 => word::<UInt16Type>(array, row),
            _ => word::<UInt32Type>(array, row),
        },
        DataType::Union(..) => array
            .as_any()
            .downcast_ref::<UnionArray>()
            .map_or(Cell::Null, |union| {
                cell(union.child(union.type_id(row)), union.value_offset(row))
            }),
        _ => Cell::Null,
    }
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

fn int(value: i128) -> Cell {
    i64::try_from(value).map_or(Cell::Big(value), Cell::Int)
}

fn list(values: &ArrayRef) -> Cell {
    Cell::List((0..values.len()).map(|row| cell(values, row)).collect())
}

fn word<K: ArrowDictionaryKeyType>(array: &ArrayRef, row: usize) -> Cell {
    let found = array.as_dictionary_opt::<K>();
    found
        .and_then(|words| Some(cell(words.values(), words.key(row)?)))
        .unwrap_or(Cell::Null)
}

/// Returns the key of a map as a name.
fn key(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Bool(truth) => truth.to_string(),
        Cell::Int(number) => number.to_string(),
        Cell::Big(number) => number.to_string(),
        Cell::Float(number) => number.to_string(),
        Cell::Time(time) => stamp(time.0),
        Cell::Null => "NULL".to_owned(),
        Cell::Blob(bytes) => bytes.iter().map(|byte| format!("\\x{byte:02X}")).collect(),
        Cell::List(cells) => {
            let cells: Vec<String> = cells.iter().map(key).collect();
            format!("[{}]", cells.join(", "))
        }
        Cell::Struct(fields) => {
            let field = |(name, cell): &(String, Cell)| format!("{name}: {}", key(cell));
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// DuckDB keeps its infinities at the ends of the number, whatever its unit.
fn instant(raw: i64, micros: i64) -> Cell {
    match raw {
        i64::MAX => text("infinity"),
        raw if raw == -i64::MAX => text("-infinity"),
        _ => Cell::Time(Time(micros)),
    }
}

fn decimal(value: i128, scale: i8) -> Cell {
    let scale = usize::try_from(scale).unwrap_or_default();
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let sign = if value < 0 { "-" } else { "" };
    let (whole, part) = digits.split_at(digits.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    Cell::Text(format!("{sign}{whole}{point}{part}"))
}

fn stamp(micros: i64) -> String {
    const DAY: i64 = crate::model::time::DAY;
    let day = i32::try_from(micros.div_euclid(DAY)).unwrap_or_default();
    format!("{} {}", date(day), clock(micros.rem_euclid(DAY)))
}

/// Days since 1970 as a date of the Gregorian calendar.
fn date(days: i32) -> String {
    match days {
        i32::MAX => return "infinity".to_owned(),
        days if days == -i32::MAX => return "-infinity".to_owned(),
        _ => {}
    }
    let (year, month, day) = date::date(i64::from(days));
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{:04}-{month:02}-{day:02} (BC)", 1 - year)
    }
}

fn clock(micros: i64) -> String {
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    let mut shown = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    if fraction != 0 {
        let digits = format!("{fraction:06}");
        let _ = write!(shown, ".{}", digits.trim_end_matches('0'));
    }
    shown
}

fn interval(months: i32, days: i32, micros: i64) -> String {
    let mut parts = Vec::new();
    let mut part = |count: i32, unit: &str| {
        if count != 0 {
            let plural = if count.abs() == 1 { "" } else { "s" };
            parts.push(format!("{count} {unit}{plural}"));
        }
    };
    part(months / 12, "year");
    part(months % 12, "month");
    part(days, "day");
    if micros != 0 || parts.is_empty() {
        let sign = if micros < 0 { "-" } else { "" };
        parts.push(format!("{sign}{}", clock(micros.saturating_abs())));
    }
    parts.join(" ")
}
