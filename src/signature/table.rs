//! Table: digests with their counts as CSV, as `export` writes and `import` reads them.

use super::counter::DIGEST_LENGTH;
use crate::model::row::Text;
use crate::model::signature::SignatureRow;
use crate::model::time::Time;
use chrono::{DateTime, SecondsFormat, Utc};

/// The columns, in their order.
const COLUMNS: [&str; 7] = [
    "digest",
    "count",
    "wl_count",
    "entered",
    "updated",
    "wl_entered",
    "wl_updated",
];

fn shown(time: Option<Time>) -> String {
    let time = time.and_then(|time| DateTime::<Utc>::from_timestamp_micros(time.0));
    time.map_or_else(String::new, |time| {
        time.to_rfc3339_opts(SecondsFormat::Secs, true)
    })
}

/// Returns the rows as CSV; with the line of names if they are the first ones.
#[must_use]
pub fn write(rows: &[SignatureRow], is_first: bool) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Into memory: nothing fails.
    if is_first {
        let _ = writer.write_record(COLUMNS);
    }
    for row in rows {
        let _ = writer.write_record([
            row.digest.to_string(),
            row.count.to_string(),
            row.wl_count.to_string(),
            shown(row.entered),
            shown(row.updated),
            shown(row.wl_entered),
            shown(row.wl_updated),
        ]);
    }
    writer.into_inner().unwrap_or_default()
}

/// Reads CSV with a line of names; only the digest must be there. Times are RFC 3339, or seconds since 1970.
///
/// # Errors
/// Names the line and what is wrong in it.
pub fn read(input: impl std::io::Read) -> Result<Vec<SignatureRow>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    if let Some(name) = names.iter().find(|name| !COLUMNS.contains(name)) {
        return Err(format!(
            "line 1: no column is called {name}; write digest,count,wl_count,entered,updated,wl_entered,wl_updated"
        ));
    }
    let place = |name: &str| names.iter().position(|known| known == name);
    let places = COLUMNS.map(place);
    if places.first() == Some(&None) {
        return Err("line 1: the column digest is missing".to_owned());
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = places.map(|place| place.and_then(|place| record.get(place)).unwrap_or(""));
        rows.push(row(cells).map_err(|why| format!("line {line}: {why}"))?);
    }
    Ok(rows)
}

fn row(cells: [&str; 7]) -> Result<SignatureRow, String> {
    let [
        digest,
        counts @ ..,
        entered,
        updated,
        wl_entered,
        wl_updated,
    ] = cells;
    let [count, wl_count] = counts;
    if !is_digest(digest) {
        return Err(format!(
            "a digest has 1 to {DIGEST_LENGTH} printable ASCII characters"
        ));
    }
    Ok(SignatureRow {
        digest: Text::from(digest),
        count: number(count)?,
        wl_count: number(wl_count)?,
        entered: time(entered)?,
        updated: time(updated)?,
        wl_entered: time(wl_entered)?,
        wl_updated: time(wl_updated)?,
    })
}

/// Returns whether a text can be a digest.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    (1..=DIGEST_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn number(cell: &str) -> Result<i64, String> {
    let number = match cell.trim() {
        "" => Some(0),
        text => text.parse().ok().filter(|number| *number >= 0),
    };
    number.ok_or_else(|| format!("{cell} is no number of reports"))
}

fn time(cell: &str) -> Result<Option<Time>, String> {
    let cell = cell.trim();
    if cell.is_empty() || cell == "0" {
        return Ok(None);
    }
    let seconds = cell.parse().ok();
    let seconds = seconds.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
    let time = seconds.or_else(|| Some(DateTime::parse_from_rfc3339(cell).ok()?.to_utc()));
    match time.filter(|time| u32::try_from(time.timestamp()).is_ok()) {
        Some(time) => Ok(Some(time.into())),
        None => Err(format!(
            "{cell} is no time; write 2026-11-28T20:00:00Z or seconds since 1970"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let rows = [
            SignatureRow {
                digest: "a,\"b".into(),
                count: i64::MAX,
                entered: Some(Time(1_700_000_000_000_000)),
                updated: Some(Time(1_700_000_001_000_000)),
                ..SignatureRow::default()
            },
            SignatureRow {
                digest: "c".into(),
                wl_count: 2,
                ..SignatureRow::default()
            },
        ];
        let mut text = write(&rows[..1], true);
        text.extend(write(&rows[1..], false));
        assert_eq!(read(&text[..]).unwrap(), rows);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let wrong = |text: &str| read(text.as_bytes()).unwrap_err();
        assert!(wrong("count\n5\n").contains("digest is missing"));
        assert!(wrong("digest,x\na,1\n").starts_with("line 1: no column is called x"));
        assert!(wrong("digest,count\na,1\nb,-1\n").starts_with("line 3: -1 is no number"));
        assert!(wrong("digest,entered\na,soon\n").starts_with("line 2: soon is no time"));
        assert!(wrong("digest\n\u{e9}\n").starts_with("line 2: a digest has"));
        let read = read("updated,digest\n1700000000,a\n".as_bytes()).unwrap();
        assert_eq!(read[0].updated, Some(Time(1_700_000_000_000_000)));
    }
}
