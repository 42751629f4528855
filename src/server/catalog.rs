//! Catalog: what clients of PostgreSQL expect to find beside the tables: its functions, and `pg_catalog` as far as
//! DuckDB has none of its own or another. Temporary macros and views of each connection (`catalog.sql`).

/// The views and macros; `{user}`, `{pid}`, `{database}` stand for the session's.
const CATALOG: &str = include_str!("catalog.sql");

/// Returns what a connection of a session is furnished with.
pub(super) fn furniture(user: &str, pid: i32, database: &str, zone: Option<&str>) -> String {
    let catalog = CATALOG
        .replace("{user}", &user.replace('\'', "''"))
        .replace("{pid}", &pid.to_string())
        .replace("{database}", &database.replace('\'', "''"));
    catalog + &self::zone(zone)
}

/// Makes `local_time` that of the client's zone instead of the service's.
pub(super) fn zone(zone: Option<&str>) -> String {
    match zone {
        Some(zone) => format!("CREATE OR REPLACE TEMP MACRO local_time(t) AS in_zone(t, '{}');\n", zone.replace('\'', "''")),
        None => String::new(),
    }
}
