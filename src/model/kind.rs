//! Kind: the type of a result's column, as far as clients of other makes are told of it.

/// The type of a column or parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Truth value.
    Bool,
    /// Integer of two bytes.
    Int2,
    /// Integer of four bytes.
    Int4,
    /// Integer of eight bytes.
    Int8,
    /// Floating point number of four bytes.
    Float4,
    /// Floating point number of eight bytes.
    Float8,
    /// Exact number; digits in all and behind the point where they are limited.
    Numeric(Option<(u8, u8)>),
    /// Text, and what has no kind of its own.
    Text,
    /// Raw bytes.
    Bytes,
    /// Point in time, UTC.
    Timestamp,
    /// Point in time that was written with a zone.
    TimestampTz,
    /// Day.
    Date,
    /// Time of day.
    Clock,
    /// Span of time.
    Interval,
    /// Struct or map, and JSON text.
    Json,
    /// List of values of one kind.
    List(Box<Kind>),
}

impl Kind {
    /// Returns the kind of a type as DuckDB names it: `DECIMAL(9,2)`, `VARCHAR[]`, `STRUCT(a INTEGER)`.
    #[must_use]
    pub fn of_type(name: &str) -> Self {
        if let Some(inner) = name.strip_suffix(']')
            && let Some((inner, _)) = inner.rsplit_once('[')
        {
            return Self::List(Box::new(Self::of_type(inner)));
        }
        let (word, rest) = name.split_once('(').unwrap_or((name, ""));
        match word.trim() {
            "BOOLEAN" => Self::Bool,
            "TINYINT" | "SMALLINT" | "UTINYINT" => Self::Int2,
            "INTEGER" | "USMALLINT" => Self::Int4,
            "BIGINT" | "UINTEGER" => Self::Int8,
            "UBIGINT" | "HUGEINT" | "UHUGEINT" | "BIGNUM" => Self::Numeric(None),
            "FLOAT" => Self::Float4,
            "DOUBLE" => Self::Float8,
            "DECIMAL" => Self::Numeric(digits(rest)),
            "BLOB" => Self::Bytes,
            "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS" | "TIMESTAMP_NS" => Self::Timestamp,
            "TIMESTAMP WITH TIME ZONE" => Self::TimestampTz,
            "DATE" => Self::Date,
            "TIME" => Self::Clock,
            "INTERVAL" => Self::Interval,
            "STRUCT" | "MAP" | "JSON" => Self::Json,
            _ => Self::Text,
        }
    }
}

/// Reads `9,2)`.
fn digits(text: &str) -> Option<(u8, u8)> {
    let (all, behind) = text.strip_suffix(')')?.split_once(',')?;
    Some((all.trim().parse().ok()?, behind.trim().parse().ok()?))
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_read() {
        let list = |kind| Kind::List(Box::new(kind));
        let cases = [
            ("INTEGER", Kind::Int4),
            ("DECIMAL(18,3)", Kind::Numeric(Some((18, 3)))),
            ("VARCHAR[]", list(Kind::Text)),
            ("INTEGER[2]", list(Kind::Int4)),
            ("BIGINT[][]", list(list(Kind::Int8))),
            ("STRUCT(a INTEGER, b VARCHAR[])", Kind::Json),
            ("STRUCT(a INTEGER)[]", list(Kind::Json)),
            ("MAP(VARCHAR, INTEGER)", Kind::Json),
            ("ENUM('a', 'b')", Kind::Text),
            ("TIMESTAMP WITH TIME ZONE", Kind::TimestampTz),
            ("\"NULL\"", Kind::Text),
        ];
        for (name, kind) in cases {
            assert_eq!(Kind::of_type(name), kind, "{name}");
        }
    }
}
