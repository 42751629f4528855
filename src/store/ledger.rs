//! The ledger of reading: cursors, coverage, templates and the correlator's state, merged into what is stored.

use super::anchor::StoredAnchor;
use super::columns::Stored;
use super::error::Error;
use super::param::timestamp;
use super::seen::StoredRow;
use super::stage::stage;
use crate::model::cursor::{Anchor, Cursor, SourceKey, StoredCursor};
use crate::model::row::{CoverageRow, EventRow, State, UndatedRow, UnparsedRow};
use crate::model::time::Time;
use crate::seen::News;
use duckdb::{Connection, params};
use std::collections::HashMap;

/// What the cursors of a commit came to.
pub(super) struct Written {
    /// Number of the commit.
    pub(super) commit: i64,
    /// Numbers of the sources, in the order of the cursors.
    pub(super) source_ids: Vec<i64>,
    /// Keys that were not known before.
    pub(super) new_keys: HashMap<SourceKey, i64>,
}

impl Written {
    /// Returns the coverage with the numbers of its sources.
    pub(super) fn coverage(
        &self,
        known: &HashMap<SourceKey, i64>,
        rows: Vec<CoverageRow>,
    ) -> Result<Vec<(i64, CoverageRow)>, Error> {
        rows.into_iter()
            .map(|row| Ok((self.id(known, &row.source)?, row)))
            .collect()
    }

    /// Returns the anchors with the numbers of their sources.
    pub(super) fn anchors(
        &self,
        known: &HashMap<SourceKey, i64>,
        rows: Vec<(SourceKey, Vec<Anchor>)>,
    ) -> Result<Vec<StoredAnchor>, Error> {
        let mut anchors = Vec::new();
        for (key, found) in rows {
            let source_id = self.id(known, &key)?;
            anchors.extend(
                found
                    .into_iter()
                    .map(|anchor| StoredAnchor { source_id, anchor }),
            );
        }
        Ok(anchors)
    }

    /// Returns the blocks of lines told with the numbers of their sources, and the numbers of those that go.
    pub(super) fn seen(
        &self,
        known: &HashMap<SourceKey, i64>,
        news: Vec<(SourceKey, News)>,
    ) -> Result<(Vec<StoredRow>, Vec<i64>), Error> {
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        for (key, news) in news {
            let source_id = self.id(known, &key)?;
            let news_of = news.rows.into_iter();
            rows.extend(news_of.map(|row| StoredRow { source_id, row }));
            gone.extend(news.gone);
        }
        Ok((rows, gone))
    }

    /// Returns the lines without a time with the numbers of their sources.
    pub(super) fn undated(
        &self,
        known: &HashMap<SourceKey, i64>,
        rows: Vec<UndatedRow>,
    ) -> Result<Vec<(i64, UndatedRow)>, Error> {
        rows.into_iter()
            .map(|row| Ok((self.id(known, &row.source)?, row)))
            .collect()
    }

    fn id(&self, known: &HashMap<SourceKey, i64>, key: &SourceKey) -> Result<i64, Error> {
        let id = self.new_keys.get(key).or(known.get(key)).copied();
        id.ok_or_else(|| Error::Data {
            table: "source",
            cause: "a source has no stored position".to_owned(),
        })
    }
}

/// Replaces the stored cursors, or adds them.
pub(super) fn write_cursors(
    conn: &Connection,
    known: &HashMap<SourceKey, i64>,
    cursors: &[StoredCursor],
    now: Time,
) -> duckdb::Result<Written> {
    let mut written = Written {
        commit: next_commit(conn)?,
        source_ids: Vec::with_capacity(cursors.len()),
        new_keys: HashMap::new(),
    };
    for StoredCursor { source_id, cursor } in cursors {
        let key = &cursor.key;
        let same_key = || written.new_keys.get(key).or(known.get(key)).copied();
        let id = match source_id.or_else(same_key) {
            Some(id) => id,
            None => conn.query_row("SELECT coalesce(max(id), 0) + 1 FROM source", [], |row| {
                row.get(0)
            })?,
        };
        write_cursor(conn, id, cursor, now)?;
        written.source_ids.push(id);
        if known.get(key) != Some(&id) {
            written.new_keys.insert(key.clone(), id);
        }
    }
    Ok(written)
}

fn write_cursor(conn: &Connection, id: i64, cursor: &Cursor, now: Time) -> duckdb::Result<()> {
    let key = serde_json::to_string(&cursor.key)
        .map_err(|error| duckdb::Error::ToSqlConversionFailure(error.into()))?;
    let values = params![
        id,
        key,
        cursor.name,
        i64::try_from(cursor.offset).unwrap_or(i64::MAX),
        cursor.journal,
        cursor.last_time.map(timestamp),
        cursor.state,
        timestamp(now),
    ];
    let update = "UPDATE source SET key = $2, name = $3, position = $4, journal_cursor = $5, last_time = $6, \
                  state = $7, last_read = $8 WHERE id = $1";
    if conn.prepare_cached(update)?.execute(values)? == 0 {
        let insert = "INSERT INTO source VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
        conn.execute(insert, values)?;
    }
    Ok(())
}

/// Replaces the parts of the correlator's state that changed.
///
/// One that is no more stays as an empty object: a row that goes and comes again would have its text twice in the file.
pub(super) fn write_state(conn: &Connection, before: &State, state: &State) -> duckdb::Result<()> {
    let changed = state
        .iter()
        .filter(|(name, text)| before.get(*name) != Some(*text))
        .map(|(name, text)| (name, text.as_str()));
    let gone = before
        .keys()
        .filter(|name| !state.contains_key(*name))
        .map(|name| (name, "{}"));
    for (name, text) in changed.chain(gone) {
        let values = params![name.as_str(), text];
        let update = "UPDATE open_message SET state = $2 WHERE name = $1";
        if conn.prepare_cached(update)?.execute(values)? == 0 {
            let insert = "INSERT INTO open_message VALUES ($1, $2)";
            conn.prepare_cached(insert)?.execute(values)?;
        }
    }
    Ok(())
}

/// Returns the number of the last commit; 0 before the first.
pub(super) fn commits(conn: &Connection) -> duckdb::Result<i64> {
    let sql = "SELECT coalesce(max(value)::BIGINT, 0) FROM meta WHERE key = 'commits'";
    conn.query_row(sql, [], |row| row.get(0))
}

/// Numbers the commit that is being written: whoever finds the number stored knows that it was.
fn next_commit(conn: &Connection) -> duckdb::Result<i64> {
    let number = commits(conn)? + 1;
    let update = "UPDATE meta SET value = $1::BIGINT::VARCHAR WHERE key = 'commits'";
    if conn.prepare_cached(update)?.execute(params![number])? == 0 {
        conn.execute(
            "INSERT INTO meta VALUES ('commits', $1::BIGINT::VARCHAR)",
            params![number],
        )?;
    }
    Ok(number)
}

/// Adds the counts to what is stored for the source, host and hour.
pub(super) fn merge_coverage(conn: &Connection, rows: &[(i64, CoverageRow)]) -> duckdb::Result<()> {
    let counts = [
        "lines",
        "understood",
        "ignored",
        "foreign",
        "not_understood",
        "lost",
        "known",
    ];
    merge(conn, rows, &["source_id", "host", "hour"], &counts)
}

/// Adds the counts to what is stored for the template.
pub(super) fn merge_unparsed(conn: &Connection, rows: &[UnparsedRow]) -> duckdb::Result<()> {
    merge(conn, rows, &["service", "template"], &["count"])
}

/// Adds the lines without a time to those of their source; the sample stays the first one.
pub(super) fn add_undated(conn: &Connection, rows: &[(i64, UndatedRow)]) -> duckdb::Result<()> {
    for (source_id, row) in rows {
        let add = "UPDATE undated SET lines = lines + $2 WHERE source_id = $1";
        let added = conn
            .prepare_cached(add)?
            .execute(params![source_id, row.lines])?;
        if added == 0 {
            let insert = "INSERT INTO undated VALUES ($1, $2, $3)";
            conn.execute(insert, params![source_id, row.lines, row.sample.as_str()])?;
        }
    }
    Ok(())
}

/// Adds the counts to what is stored for the template and day.
pub(super) fn merge_events(conn: &Connection, rows: &[EventRow]) -> duckdb::Result<()> {
    let key = ["day", "host", "instance", "service", "level", "template"];
    merge(conn, rows, &key, &["count"])
}

/// Merges rows by their key: counts add up, the span of time widens, a sample stays the first one.
///
/// A key may come twice among the rows.
fn merge<R: Stored>(
    conn: &Connection,
    rows: &[R],
    key: &[&str],
    counts: &[&str],
) -> duckdb::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let staged = stage(conn, rows)?;
    let table = R::TABLE;
    let columns = R::columns(&[]);
    let list = |item: &dyn Fn(&str) -> String, columns: &[&str], between: &str| {
        let items: Vec<String> = columns.iter().map(|column| item(column)).collect();
        items.join(between)
    };
    let summed = |column: &str| match column {
        _ if key.contains(&column) => format!("\"{column}\""),
        _ if counts.contains(&column) => format!("sum(\"{column}\")::BIGINT AS \"{column}\""),
        "first_time" => "min(first_time) AS first_time".to_owned(),
        "last_time" => "max(last_time) AS last_time".to_owned(),
        _ => format!("first(\"{column}\") AS \"{column}\""),
    };
    let same = |column: &str| format!("stored.\"{column}\" = staged.\"{column}\"");
    let added = |column: &str| format!("\"{column}\" = stored.\"{column}\" + staged.\"{column}\"");
    let select = list(&summed, &columns.names(), ", ");
    let (group, on, add) = (
        list(&|column| format!("\"{column}\""), key, ", "),
        list(&same, key, " AND "),
        list(&added, counts, ", "),
    );
    conn.execute_batch(&format!(
        "MERGE INTO {table} AS stored USING (SELECT {select} FROM {staged} GROUP BY {group}) AS staged ON {on} \
         WHEN MATCHED THEN UPDATE SET {add}, first_time = least(stored.first_time, staged.first_time), \
         last_time = greatest(stored.last_time, staged.last_time) \
         WHEN NOT MATCHED THEN INSERT BY NAME; TRUNCATE {staged}"
    ))
}
