//! Handover: an import while a service has the database: this process reads, the service understands and stores.
//!
//! Each input is a feed of the service, opened with `maillog_open`, carried by `COPY maillog_ingest FROM STDIN` and
//! ended with `maillog_end`, so what was read before is neither sent nor stored again.
//!
//! Limits: stamps without a zone are read in the zone of the service.

use super::progress::Progress;
use super::resume::{self, Anchored};
use super::stats::Summary;
use crate::client::Client;
use crate::model::cursor::{Anchor, Cursor, SourceKey, StoredCursor};
use crate::model::table::{Cell, Param, Table};
use crate::source::{Input, Options};
use crate::store::Error;
use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

/// What the service is told of an input.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Path, for people.
    pub name: String,
    /// What names it, or the stored stream that it lies in.
    pub key: SourceKey,
    /// Its first bytes.
    pub head: Vec<u8>,
    /// Number of the source and shift, when it lies inside a stored stream.
    pub piece: Option<(i64, u64)>,
    /// Bytes on disk.
    pub size: u64,
    /// Year of its first stamp that has none, when it is read from its beginning.
    pub first_year: Option<i32>,
    /// It is read from its beginning although it was read before.
    #[serde(default)]
    pub is_again: bool,
    /// It was named, and is remembered only if a line in it is one of a mail log.
    #[serde(default)]
    pub is_named: bool,
}

/// How an input ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    /// Nothing will follow.
    pub is_finished: bool,
    /// Why it ended early.
    pub failure: Option<String>,
}

/// Reads the inputs into the service.
///
/// # Errors
/// When the service refuses or goes away.
pub fn run(
    client: &Client,
    inputs: &[Input],
    is_again: bool,
    options: &Options,
    mut progress: Progress,
) -> Result<Summary> {
    let mut all = Summary::default();
    for input in inputs {
        let part = one(client, input, is_again, options, &mut progress)
            .with_context(|| format!("cannot send {} to the service", input.path().display()))?;
        all.files += 1;
        all.files_known += u64::from(part.lines == 0 && part.failures.is_empty());
        all.failures.extend(part.failures.iter().cloned());
        all.findings.extend(part.findings.iter().cloned());
        all.messages += part.messages;
        all.recipients += part.recipients;
        all.refusals += part.refusals;
        all.bytes += part.bytes;
        all.hosts.extend(part.hosts.iter().cloned());
        all.take_in(&part);
    }
    progress.finish();
    all.finish(progress.seconds());
    Ok(all)
}

fn one(
    client: &Client,
    input: &Input,
    is_again: bool,
    options: &Options,
    progress: &mut Progress,
) -> Result<Summary> {
    let stored = stored(client)?;
    let piece = if is_again {
        None
    } else {
        resume::piece_of(input, &stored, client)?
    };
    // The service knows the stream by its key: it may have begun it itself.
    let stream = piece.and_then(|piece| {
        let of_piece = |source: &&StoredCursor| source.source_id == Some(piece.source_id);
        stored.iter().find(of_piece)
    });
    let wanted = Wanted {
        name: input.path().display().to_string(),
        key: stream.map_or_else(|| input.key(), |stream| stream.cursor.key.clone()),
        head: input.head().to_vec(),
        piece: piece.map(|piece| (piece.source_id, piece.shift)),
        size: input.size(),
        first_year: input.hints(options).first_year,
        is_again,
        is_named: !input.is_found(),
    };
    let opened = client.call("maillog_open", &serde_json::to_string(&wanted)?)?;
    let offset: u64 = text(&opened)?
        .parse()
        .context("the service did not send the position to continue from")?;
    let mut lines = 0;
    let mut failure = None;
    let read = input.read_from(offset).map(|chunks| {
        let parts = chunks.map_while(|chunk| match chunk {
            Ok(chunk) => {
                lines += memchr::memchr_iter(b'\n', &chunk.data).count() as u64;
                progress.at(chunk.read, lines);
                Some(frame(chunk.offset, &chunk.data))
            }
            Err(error) => {
                failure = Some(error.to_string());
                None
            }
        });
        client.copy_in("COPY maillog_ingest FROM STDIN", parts)
    });
    match read {
        Ok(copied) => copied?,
        Err(error) => failure = Some(error.to_string()),
    }
    progress.file_done(input.size());
    let ended = Ended {
        is_finished: input.is_stream(),
        failure,
    };
    let summary = client.call("maillog_end", &serde_json::to_string(&ended)?)?;
    serde_json::from_str(text(&summary)?).context("the service sent no summary")
}

/// A piece of an input as it is sent: its place, its length, its bytes.
fn frame(offset: u64, data: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(data.len() + 12);
    frame.extend(offset.to_be_bytes());
    frame.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend(data);
    frame
}

fn text(table: &Table) -> Result<&str> {
    match table.rows.first().map(Vec::as_slice) {
        Some([Cell::Text(text)]) => Ok(text),
        _ => Err(anyhow!("the service sent no answer")),
    }
}

/// Returns the stored sources, as far as pieces are looked for in them.
fn stored(client: &Client) -> Result<Vec<StoredCursor>> {
    let table = client.select("SELECT id, key, position FROM source ORDER BY id", &[])?;
    let sources = table.rows.iter().filter_map(|row| match row.as_slice() {
        [Cell::Int(id), Cell::Text(key), Cell::Int(position)] => Some(StoredCursor {
            source_id: Some(*id),
            cursor: Cursor {
                key: serde_json::from_str(key).ok()?,
                name: String::new(),
                offset: u64::try_from(*position).unwrap_or_default(),
                journal: None,
                last_time: None,
                state: String::new(),
            },
        }),
        _ => None,
    });
    Ok(sources.collect())
}

impl Anchored for Client {
    fn anchors_like(&self, hashes: &[u32]) -> Result<Vec<(i64, Anchor)>, Error> {
        if hashes.is_empty() {
            return Ok(Vec::new());
        }
        let hashes: Vec<String> = hashes.iter().map(u32::to_string).collect();
        let sql = format!(
            "SELECT source_id, hash, position FROM anchor WHERE hash IN ({})",
            hashes.join(", ")
        );
        let table = self.select(&sql, &[])?;
        let found = table.rows.iter().filter_map(|row| match row.as_slice() {
            [Cell::Int(id), hash, position] => Some((*id, anchor(hash, position)?)),
            _ => None,
        });
        Ok(found.collect())
    }

    fn anchors_between(&self, source: i64, start: u64, end: u64) -> Result<Vec<Anchor>, Error> {
        let place = |offset: u64| Param::Int(i64::try_from(offset).unwrap_or(i64::MAX));
        let sql = "SELECT hash, position FROM anchor \
                   WHERE source_id = $1 AND position >= $2 AND position < $3 ORDER BY position";
        let table = self.select(sql, &[Param::Int(source), place(start), place(end)])?;
        let found = table.rows.iter().filter_map(|row| match row.as_slice() {
            [hash, position] => anchor(hash, position),
            _ => None,
        });
        Ok(found.collect())
    }
}

fn anchor(hash: &Cell, position: &Cell) -> Option<Anchor> {
    let (Cell::Int(hash), Cell::Int(position)) = (hash, position) else {
        return None;
    };
    Some(Anchor {
        hash: u32::try_from(*hash).ok()?,
        position: u64::try_from(*position).ok()?,
    })
}
