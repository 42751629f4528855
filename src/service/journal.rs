//! Journal: the systemd journal as a live source. Catches up from where the last run ended, then follows.
//!
//! Promises: no entry twice and none left out, however the service ends; a journal that is not there, or goes away, is
//! waited for.

use super::{Shared, Source};
use crate::ingest::feed::{Closed, Feed, Lost, Opening};
use crate::model::time::Time;
use crate::notice::{self, Level};
use crate::parse;
use crate::source::Hints;
use crate::source::journal::live::{Gap, Live, Portion, Selection, Start};
use crate::source::journal::{self, Place};
use anyhow::Result;
use glob::Pattern;
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait: directories that come and go are looked for then.
const WAIT: Duration = Duration::from_secs(2);
/// Shortest time between two looks, so that entries that come one by one are read together.
const PAUSE: Duration = Duration::from_millis(100);
/// Pause before a journal that cannot be read is opened again.
const RETRY: Duration = Duration::from_secs(2);
/// A cursor that moved over entries that nobody wants is stored this often.
const IDLE: Duration = Duration::from_mins(1);
/// How often damaged files are looked for.
const CHECK: Duration = Duration::from_mins(10);

/// What is to be read of which journal.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The journal.
    pub place: Place,
    /// Units, any of them; none: all.
    pub units: Vec<Pattern>,
    /// Nothing before this, the first time.
    pub since: Option<Time>,
}

/// Returns the source.
#[must_use]
pub fn source(wanted: Wanted) -> Source {
    Box::new(move |shared| follow(shared, wanted))
}

/// Follows until the pump has ended.
fn follow(shared: &Shared, wanted: Wanted) -> Result<()> {
    let name = match wanted.place.name() {
        name if name.is_empty() => "journal".to_owned(),
        name => format!("journal {name}"),
    };
    let opening = Opening::journal(&name, &wanted.place.name());
    let feed = shared.feeds.open(opening)?;
    feed.begin(Hints::default())?;
    let start = start(&feed, wanted.since);
    let mut follower = Follower {
        shared,
        selection: Selection {
            wants: parse::bears_on_mail,
            units: wanted.units,
        },
        place: wanted.place,
        name,
        feed,
        start,
        seen: None,
        stored: Instant::now(),
        checked: None,
        failures: 0,
    };
    loop {
        match follower.run() {
            Ok(()) => {}
            Err(ReadEnd::Closed(closed)) => return Err(closed.into()),
            Err(ReadEnd::Journal(error)) => follower.recover(&error),
        }
    }
}

/// Returns where to begin: behind the last entry, else behind the newest that was ever read, else at the beginning.
fn start(feed: &Feed, since: Option<Time>) -> Start {
    let opened = feed.opened();
    if let Some(cursor) = &opened.journal {
        return Start::Cursor(cursor.clone());
    }
    // What was imported from files has whole seconds, and ends somewhere in the last one.
    match opened.newest.max(since.map(|since| since.plus(-1))) {
        Some(time) => Start::After(time),
        None => Start::Beginning,
    }
}

enum ReadEnd {
    Closed(Closed),
    Journal(String),
}

impl From<Closed> for ReadEnd {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

impl From<journal::Error> for ReadEnd {
    fn from(error: journal::Error) -> Self {
        Self::Journal(error.to_string())
    }
}

struct Follower<'s> {
    shared: &'s Shared,
    selection: Selection,
    place: Place,
    name: String,
    feed: Feed,
    /// Where to begin when the journal is opened again.
    start: Start,
    /// Cursor behind entries that nobody wanted, not stored yet.
    seen: Option<String>,
    /// When a cursor was last stored.
    stored: Instant,
    /// When damaged files were last looked for.
    checked: Option<Instant>,
    failures: u32,
}

impl Follower<'_> {
    /// Opens the journal and follows it until it has to be opened again.
    fn run(&mut self) -> Result<(), ReadEnd> {
        let mut live = Live::open(&self.place, &self.selection, &self.start)?;
        while !live.has_files() {
            self.wait_for_files();
            live = Live::open(&self.place, &self.selection, &self.start)?;
        }
        notice::over(&self.name, &format!("{} is available again", self.name));
        self.state("catching up");
        loop {
            let portion = live.read()?;
            self.failures = 0;
            let is_end = portion.is_end;
            self.take(portion)?;
            if !is_end {
                continue;
            }
            self.state("following");
            self.check(&live);
            live.wait(WAIT)?;
            thread::sleep(PAUSE);
            if live.is_outdated() {
                return Ok(());
            }
        }
    }

    /// Passes on what was read.
    fn take(&mut self, portion: Portion) -> Result<(), Closed> {
        let Some(cursor) = portion.cursor else {
            return Ok(());
        };
        self.start = Start::Cursor(cursor.clone());
        let is_news = !portion.records.is_empty() || portion.gap.is_some();
        if !is_news && self.stored.elapsed() < IDLE {
            self.seen = Some(cursor);
            return Ok(());
        }
        if let Some(gap) = portion.gap {
            self.lose(gap);
        }
        self.seen = None;
        self.stored = Instant::now();
        self.feed.records(portion.records, cursor, portion.is_end)
    }

    /// Notes entries that are gone.
    fn lose(&mut self, gap: Gap) {
        let text = match gap.entries {
            Some(entries) => format!(
                "{entries} journal entries of all programs were removed before maillog read them"
            ),
            None => "journal entries were removed before maillog read them".to_owned(),
        };
        notice::tell(Level::Warning, &format!("{}: {text}", self.name));
        self.feed.lose(Lost {
            host: gap.host,
            time: gap.time,
            lines: None,
            text,
        });
    }

    fn wait_for_files(&self) {
        self.state("waiting for journal files");
        let text = format!("{}: no readable journal file; waiting for one", self.name);
        notice::trouble(&self.name, Level::Warning, &text);
        thread::sleep(RETRY);
    }

    fn recover(&mut self, error: &str) {
        self.state("cannot be read");
        let text = format!("cannot read {}: {error}; retrying", self.name);
        notice::trouble(&self.name, Level::Warning, &text);
        self.failures += 1;
        thread::sleep(RETRY * self.failures.min(15));
    }

    /// Names files that cannot be read.
    fn check(&mut self, live: &Live) {
        if self
            .checked
            .is_some_and(|checked| checked.elapsed() < CHECK)
        {
            return;
        }
        self.checked = Some(Instant::now());
        for (path, error) in live.damaged() {
            let path = path.display();
            let text = format!("{path} is damaged; maillog reads the other journal files: {error}");
            notice::trouble(&path.to_string(), Level::Warning, &text);
        }
    }

    fn state(&self, state: &str) {
        self.shared.health.set_state(&self.name, state);
    }
}
