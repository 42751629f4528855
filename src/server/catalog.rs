//! Catalog: what clients of PostgreSQL expect to find beside the tables: its functions, and `pg_catalog` as far as
//! DuckDB has none of its own or another. Temporary macros and views of each connection (`catalog.sql`).

use crate::store::CLOCK;

/// The views and macros; `{user}`, `{pid}`, `{database}` stand for the session's.
const CATALOG: &str = include_str!("catalog.sql");

/// Line in front of what few statements need.
const MORE: &str = "-- More";

/// What a connection of a session is furnished with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Furniture {
    /// Before its first query.
    pub first: String,
    /// Before its first query about the catalog, or of our own client about the present.
    pub catalog: String,
}

impl Furniture {
    /// For clients of other makes.
    pub(super) fn new(user: &str, pid: i32, database: &str, zone: Option<&str>) -> Self {
        let all = CATALOG
            .replace("{user}", &user.replace('\'', "''"))
            .replace("{pid}", &pid.to_string())
            .replace("{database}", &database.replace('\'', "''"));
        let at = all.find(MORE).unwrap_or(all.len());
        let (first, catalog) = all.split_at(at);
        Self {
            first: CLOCK.to_owned() + first + &self::zone(zone),
            catalog: catalog.to_owned(),
        }
    }

    /// For our own client.
    pub(super) fn own(zone: Option<&str>) -> Self {
        Self {
            first: self::zone(zone),
            catalog: CLOCK.to_owned(),
        }
    }
}

/// Returns whether a statement names something of the catalog.
pub(super) fn is_named(sql: &str) -> bool {
    let names = [
        "pg_",
        "_schema",
        "reg",
        "has_",
        "quote_",
        "txid",
        "inet",
        "format_type",
        "description",
        "encoding",
        "maillog_",
        "now()",
        "today()",
        "current_",
        "_timestamp",
        "timezone",
    ];
    let sql = sql.to_ascii_lowercase();
    names.iter().any(|name| sql.contains(name))
}

/// Makes `local_time` that of the client's zone instead of the service's.
fn zone(zone: Option<&str>) -> String {
    match zone {
        Some(zone) => format!(
            "CREATE OR REPLACE TEMP MACRO local_time(t) AS in_zone(t, '{}');\n",
            zone.replace('\'', "''")
        ),
        None => String::new(),
    }
}
