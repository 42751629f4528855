//! Rows as Arrow columns, in the order of the table: what the appender takes.
//!
//! Rows of mail come from the list of `model/tables.rs`; ledgers and tasks say their columns themselves.
//!
//! Limits: the appender matches by position, so the order of `columns` is the order of the table; a test
//! compares both.

use super::fields::Fields;
use crate::model::outbox::OutboxRow;
use crate::model::queue::{QueueCount, QueueListing, QueuedMail, QueuedRecipient};
use crate::model::row::Text;
use crate::model::row::{
    Attempt, Auth, Connection, CoverageRow, DeliveryAttempt, DeliveryFrom, DeliveryTo, EventRow,
    LogLine, NeighbourRow, Noqueue, UnparsedRow,
};
use crate::model::signature::{SignatureRow, SignatureUse};
use crate::model::tables::{for_each_table, with_attempt};
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

/// A row that is read back whole.
pub(super) trait Readable: Stored {
    /// Reads a row that was selected with all columns of the table in their order.
    fn read(fields: &Fields<'_>) -> duckdb::Result<Self>;
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
        let array = texts(self.rows.iter().map(|row| Some(get(row))));
        self.push(name, array)
    }

    pub(super) fn value<T: ArrowPrimitiveType>(
        self,
        name: &str,
        get: impl Fn(&'r R) -> T::Native,
    ) -> Self {
        let array = PrimitiveArray::<T>::from_iter_values(self.rows.iter().map(get));
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
        let times = self.rows.iter().map(|row| get(row).map(|time| time.0));
        let times: PrimitiveArray<TimestampMicrosecondType> = times.collect();
        self.push(name, Arc::new(times))
    }

    /// A column as the type of the field has it.
    pub(super) fn field<T: Held + 'r>(self, name: &str, get: impl Fn(&'r R) -> &'r T) -> Self {
        let array = T::array(self.rows.iter().map(get));
        self.push(name, array)
    }

    /// The keys of the addresses in a column.
    fn key<T: Address + 'r>(self, name: &str, get: impl Fn(&'r R) -> &'r T) -> Self {
        let keys = self.rows.iter().map(|row| get(row).address().map(key::of));
        let keys: PrimitiveArray<UInt16Type> = keys.collect();
        self.push(name, Arc::new(keys))
    }

    /// The addresses within those of a column, and their keys.
    fn within<T: Address + 'r>(self, name: &str, get: impl Fn(&'r R) -> &'r T) -> Self {
        let found: Vec<Option<String>> = self
            .rows
            .iter()
            .map(|row| get(row).address().and_then(within::of))
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
        let (columns, get) = (self, &get);
        macro_rules! put {
            ($($name:ident $holds:ident),* $(,)?) => {{
                $( let columns = columns.field(stringify!($name), |row| &get(row).$name); )*
                columns
            }};
        }
        with_attempt!(put)
    }
}

impl Attempt {
    fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
        let mut state = Self::default();
        macro_rules! take {
            ($($name:ident $holds:ident),* $(,)?) => {
                $( state.$name = Held::read(fields)?; )*
            };
        }
        with_attempt!(take);
        Ok(state)
    }
}

/// The type of a field that is one column.
pub(super) trait Held: Sized {
    /// Returns the column.
    fn array<'r>(values: impl Iterator<Item = &'r Self>) -> ArrayRef
    where
        Self: 'r;
    /// Reads one cell.
    fn read(fields: &Fields<'_>) -> duckdb::Result<Self>;
}

impl Held for Text {
    fn array<'r>(values: impl Iterator<Item = &'r Self>) -> ArrayRef {
        texts(values.map(|text| Some(text.as_str())))
    }

    fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
        fields.get::<String>().map(Self::from)
    }
}

impl Held for Option<Text> {
    fn array<'r>(values: impl Iterator<Item = &'r Self>) -> ArrayRef {
        texts(values.map(Self::as_deref))
    }

    fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
        Ok(fields.get::<Option<String>>()?.map(Text::from))
    }
}

impl Held for String {
    fn array<'r>(values: impl Iterator<Item = &'r Self>) -> ArrayRef {
        texts(values.map(|text| Some(text.as_str())))
    }

    fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
        fields.get()
    }
}

impl Held for bool {
    fn array<'r>(values: impl Iterator<Item = &'r Self>) -> ArrayRef {
        Arc::new(values.map(|value| Some(*value)).collect::<BooleanArray>())
    }

    /// A column that was added later is empty in the rows before.
    fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
        Ok(fields.get::<Option<Self>>()?.unwrap_or_default())
    }
}

impl Held for Time {
    fn array<'r>(values: impl Iterator<Item = &'r Self>) -> ArrayRef {
        let values = values.map(|time| time.0);
        Arc::new(PrimitiveArray::<TimestampMicrosecondType>::from_iter_values(values))
    }

    fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
        fields.get().map(Self)
    }
}

impl Held for Option<Time> {
    fn array<'r>(values: impl Iterator<Item = &'r Self>) -> ArrayRef {
        let values = values.map(|time| time.map(|time| time.0));
        Arc::new(values.collect::<PrimitiveArray<TimestampMicrosecondType>>())
    }

    fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
        Ok(fields.get::<Option<i64>>()?.map(Time))
    }
}

macro_rules! held_numbers {
    ($($number:ty, $column:ty;)*) => { $(
        impl Held for $number {
            fn array<'r>(values: impl Iterator<Item = &'r Self>) -> ArrayRef {
                Arc::new(PrimitiveArray::<$column>::from_iter_values(values.copied()))
            }

            fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
                fields.get()
            }
        }

        impl Held for Option<$number> {
            fn array<'r>(values: impl Iterator<Item = &'r Self>) -> ArrayRef {
                Arc::new(values.copied().collect::<PrimitiveArray<$column>>())
            }

            fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
                fields.get()
            }
        }
    )* };
}

held_numbers! {
    i64, Int64Type;
    i32, Int32Type;
    u16, UInt16Type;
    u32, UInt32Type;
    f64, Float64Type;
}

fn texts<'r>(values: impl Iterator<Item = Option<&'r str>>) -> ArrayRef {
    let rows = values.size_hint().0;
    let mut builder = StringBuilder::with_capacity(rows, rows * 16);
    for value in values {
        builder.append_option(value);
    }
    Arc::new(builder.finish())
}

/// A field that holds an address.
trait Address {
    fn address(&self) -> Option<&str>;
}

impl Address for Text {
    fn address(&self) -> Option<&str> {
        Some(self)
    }
}

impl Address for Option<Text> {
    fn address(&self) -> Option<&str> {
        self.as_deref()
    }
}

/// Adds the columns of one entry of the list.
macro_rules! put {
    ($columns:ident, $name:ident key($of:ident)) => {
        $columns.key(stringify!($name), |row| &row.$of)
    };
    ($columns:ident, $name:ident within($of:ident)) => {
        $columns.within(stringify!($name), |row| &row.$of)
    };
    ($columns:ident, $name:ident attempt) => {
        $columns.attempt(|row| &row.$name)
    };
    ($columns:ident, $name:ident $holds:ident) => {
        $columns.field(stringify!($name), |row| &row.$name)
    };
}

/// Reads the cells of one entry of the list; what is made of another column is passed over.
macro_rules! take {
    ($fields:ident, $row:ident, $name:ident key($of:ident)) => {
        $fields.pass_over(1)
    };
    ($fields:ident, $row:ident, $name:ident within($of:ident)) => {
        $fields.pass_over(2)
    };
    ($fields:ident, $row:ident, $name:ident attempt) => {
        $row.$name = Attempt::read($fields)?
    };
    ($fields:ident, $row:ident, $name:ident $holds:ident) => {
        $row.$name = Held::read($fields)?
    };
}

macro_rules! stored_table {
    ($table:ident [] [$($column:tt)*]) => {};
    ($table:ident [$row:ident] [
        $( $name:ident $holds:ident $(($of:ident))? $(of $who:ident)? ),* $(,)?
    ]) => {
        impl Stored for $row {
            const TABLE: &'static str = stringify!($table);

            fn columns(rows: &[Self]) -> Columns<'_, Self> {
                let columns = Columns::of(rows);
                $( let columns = put!(columns, $name $holds $(($of))?); )*
                columns
            }
        }

        impl Readable for $row {
            fn read(fields: &Fields<'_>) -> duckdb::Result<Self> {
                let mut row = Self::default();
                $( take!(fields, row, $name $holds $(($of))?); )*
                Ok(row)
            }
        }
    };
}

macro_rules! stored {
    ($( table $table:ident $(of $row:ident)? { $($rule:tt)* } [ $($column:tt)* ] )*) => {
        $( stored_table!($table [$($row)?] [$($column)*]); )*
    };
}

for_each_table!(stored);

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
