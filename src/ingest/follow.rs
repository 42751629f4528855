//! Follow: files that grow, each into a feed of its own (`source::follow` knows how they live).

use super::feed::{Closed, Ending, Feed, Feeds, Lost, Opening, PlaceInStream};
use super::health::Health;
use super::pump::Rules;
use super::resume;
use super::writer::Jobs;
use crate::model::cursor::{SourceKey, StoredCursor};
use crate::model::time::Time;
use crate::notice::{self, Level};
use crate::source::follow::{Candidate, Follower, Gone, Place, Taker};
use crate::source::{Chunk, Hints, Input, Options};
use crate::store::{Error, Store};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

/// A file smaller than this holds too few lines to be recognised as a piece of another.
const PIECE_BYTES: u64 = 2048;

/// Where what is read goes, and who tells where reading stood.
#[derive(Clone, Copy)]
pub struct Sinks<'s> {
    /// Opens streams.
    pub feeds: &'s Feeds,
    /// Asks the database.
    pub jobs: &'s Jobs,
    /// Is told how the files are.
    pub health: &'s Health,
}

/// Follows files, directories and patterns until the pump has ended.
///
/// # Errors
/// When it has, or the database fails.
pub fn run(files: &[OsString], rules: Rules, sinks: Sinks<'_>) -> Result<()> {
    let stored = sinks.jobs.run(|store| store.sources()).ok_or(Closed)?;
    let stored = stored.context("cannot read the stored position of the log")?;
    let mut follower = Follower::new(files, stored);
    let mut reader = Reader {
        sinks,
        open: HashMap::new(),
    };
    loop {
        let options = Options {
            now: rules.present.now(),
            ..rules.options
        };
        follower
            .look(&options, &mut reader)
            .map_err(|Gone| Closed)?;
        follower.wait();
    }
}

/// Passes on what the follower reads.
struct Reader<'s> {
    sinks: Sinks<'s>,
    open: HashMap<u64, Reading>,
}

/// A file that is being read.
struct Reading {
    feed: Feed,
    opening: Opening,
    /// All that was there has been read.
    is_caught_up: bool,
}

impl Reader<'_> {
    fn reading(&mut self, no: u64) -> Result<&mut Reading, Gone> {
        self.open.get_mut(&no).ok_or(Gone)
    }

    /// Finds out whether a file whose first bytes nobody knows lies inside a stored stream.
    fn piece(&self, input: &Input) -> Option<PlaceInStream> {
        if input.is_stream() || input.size() < PIECE_BYTES {
            return None;
        }
        let input = input.clone();
        let found = self.sinks.jobs.run(move |store| find_piece(&input, store));
        found?.unwrap_or_else(|error| {
            // Then it is read as a log of its own.
            notice::tell(
                Level::Warning,
                &format!("cannot look up what was read before: {error:#}"),
            );
            None
        })
    }
}

fn find_piece(input: &Input, store: &Store) -> Result<Option<PlaceInStream>> {
    let stored: Result<Vec<StoredCursor>, Error> = store.sources();
    resume::piece_of(input, &stored?, store)
}

impl Taker for Reader<'_> {
    fn open(&mut self, candidate: &Candidate<'_>) -> Result<Place, Gone> {
        let piece = candidate.input.and_then(|input| self.piece(input));
        let opening = Opening {
            name: candidate.path.display().to_string(),
            key: candidate.key.clone(),
            head: candidate.head.to_vec(),
            piece,
            size: candidate.size,
            is_counted: false,
            is_named: false,
            is_again: false,
        };
        let feed = self.sinks.feeds.open(opening.clone()).map_err(gone)?;
        let opened = feed.opened();
        let place = Place {
            offset: opened.offset,
            is_known: opened.is_known,
            is_piece: piece.is_some_and(|piece| piece.shift > 0),
        };
        let health = self.sinks.health;
        health.set_state(&opening.name, "catching up");
        let reading = Reading {
            feed,
            opening,
            is_caught_up: false,
        };
        self.open.insert(candidate.no, reading);
        Ok(place)
    }

    fn begin(&mut self, no: u64, hints: Hints) -> Result<(), Gone> {
        self.reading(no)?.feed.begin(hints).map_err(gone)
    }

    fn chunk(&mut self, no: u64, chunk: Chunk, is_urgent: bool) -> Result<(), Gone> {
        let health = self.sinks.health;
        let reading = self.reading(no)?;
        if is_urgent && !reading.is_caught_up {
            reading.is_caught_up = true;
            health.set_state(&reading.opening.name, "following");
        }
        reading.feed.chunk(chunk, is_urgent).map_err(gone)
    }

    fn name(&mut self, no: u64, path: &Path, key: SourceKey) -> Result<(), Gone> {
        let reading = self.reading(no)?;
        reading.opening.name = path.display().to_string();
        let name = reading.opening.name.clone();
        reading.feed.name(name, Some(key)).map_err(gone)
    }

    fn last_time(&mut self, no: u64) -> Result<Option<Time>, Gone> {
        let (feeds, health) = (self.sinks.feeds, self.sinks.health);
        let reading = self.reading(no)?;
        // A second feed of the same stream is told where it stands.
        let again = feeds.open(reading.opening.clone()).map_err(gone)?;
        let last_time = again.opened().last_time;
        again.end(Ending::Pause).map_err(gone)?;
        health.set_state(&reading.opening.name, "following");
        Ok(last_time)
    }

    fn lose(&mut self, no: u64, text: &str) -> Result<(), Gone> {
        notice::tell(Level::Warning, text);
        // The pump knows host and time once it has read what comes next.
        let lost = Lost {
            host: String::new(),
            time: Time::default(),
            lines: None,
            text: text.to_owned(),
        };
        self.reading(no)?.feed.lose(lost);
        Ok(())
    }

    fn end(&mut self, no: u64) -> Result<(), Gone> {
        let reading = self.open.remove(&no).ok_or(Gone)?;
        reading.feed.end(Ending::Pause).map_err(gone)
    }

    fn say(&mut self, text: &str, hint: Option<&str>) {
        notice::tell(Level::Warning, text);
        if let Some(hint) = hint {
            notice::hint(hint);
        }
    }
}

fn gone(_: Closed) -> Gone {
    Gone
}
