//! The loop source -> decode -> parse -> correlate -> store.
//!
//! Promises: what is committed is a prefix of each source together with everything that follows from it.
//! A source that fails half-way keeps what was readable; the others are read all the same.

use super::coverage::Ledger;
use super::keep::{self, Part};
use super::progress::Progress;
use super::reader::{self, Begun, Fed, Planned};
use super::resume::{self, Known};
use super::stats::{Class, Summary};
use crate::correlate::{self, Correlator, Settings};
use crate::model::cursor::{Anchor, Cursor, SourceKey, StoredCursor};
use crate::model::entry::Entry;
use crate::model::event::Event;
use crate::model::row::UnparsedRow;
use crate::model::time::{DAY, Time};
use crate::parse;
use crate::source::{Chunk, Decoder, Input, Options};
use crate::store::{Batch, Store};
use anyhow::{Context, Result, anyhow};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Bytes of log in one part: large enough that most messages begin and end in it, small enough that its rows
/// fit in memory twice (one part is stored while the next is understood).
const BATCH_BYTES: usize = 8 << 20;
/// A stream is committed this often, so that a line is found within two seconds.
const BATCH_TIME: Duration = Duration::from_secs(1);
/// Chunks read ahead.
const AHEAD: usize = 3;
/// Templates of lines not understood that one batch holds; more are counted under one name.
const UNPARSED_LIMIT: usize = 1000;

/// Reads all `inputs` into `store`.
///
/// # Errors
/// When the store fails. What a source did wrong is in the summary's `failures` instead.
pub fn run(
    store: Store,
    inputs: Vec<Input>,
    options: &Options,
    settings: Settings,
    progress: Progress,
) -> Result<(Store, Summary)> {
    let stored = store
        .sources()
        .context("cannot read where reading stopped")?;
    let open = store
        .open_state(correlate::message_ids)
        .context("cannot read the open messages")?;
    let correlator =
        Correlator::restore(settings, open).context("cannot go on from the stored state")?;
    let (streams, plan) = plan(inputs, &stored, &store)?;
    let (feed, fed) = sync_channel(AHEAD);
    let (parts, to_store) = sync_channel(1);
    std::thread::scope(|scope| {
        let offsets = streams.iter().map(Stream::resume_offset).collect();
        scope.spawn(move || reader::read(&plan, offsets, options, &feed));
        let storing = scope.spawn(move || keep::keep(store, &to_store));
        let mut pump = Pump {
            options,
            correlator,
            streams,
            current: None,
            summary: Summary::default(),
            batch_bytes: 0,
            batch_since: None,
            parts,
            progress,
        };
        let fed = pump.pump(&fed);
        let Pump {
            parts,
            mut summary,
            progress,
            ..
        } = pump;
        drop(parts);
        let stored = storing
            .join()
            .map_err(|_| anyhow!("the storing thread stopped unexpectedly"))?;
        progress.finish();
        let mut store = stored?;
        fed?;
        store
            .checkpoint()
            .context("cannot finish the database file")?;
        summary.finish(progress.seconds());
        Ok((store, summary))
    })
}

/// One stream of log: an input, or several copies of it (`mail.log` and its backup), each longer than the last.
struct Stream {
    key: SourceKey,
    name: String,
    source_id: Option<i64>,
    resume: Option<Cursor>,
    decoder: Option<Decoder>,
    ledger: Ledger,
    anchors: Vec<Anchor>,
    unparsed: HashMap<(String, String), UnparsedRow>,
    /// Something was read from it: before that a decoder knows no place.
    is_read: bool,
}

impl Stream {
    fn new(input: &Input, known: Option<&Known>) -> Self {
        let resume = known.map(|k| k.stored.cursor.clone());
        Self {
            key: resume
                .as_ref()
                .map_or_else(|| input.key(), |c| c.key.clone()),
            name: input.path().display().to_string(),
            source_id: known.and_then(|k| k.stored.source_id),
            resume,
            decoder: None,
            ledger: Ledger::default(),
            anchors: Vec::new(),
            unparsed: HashMap::new(),
            is_read: false,
        }
    }

    fn resume_offset(&self) -> u64 {
        self.resume.as_ref().map_or(0, |c| c.offset)
    }

    /// Returns what this stream adds to a batch, nothing when it was not read.
    fn cursor(&mut self) -> Option<StoredCursor> {
        let decoder = self.decoder.as_ref().filter(|_| self.is_read)?;
        let cursor = Cursor {
            key: self.key.clone(),
            name: self.name.clone(),
            offset: decoder.safe_offset(),
            journal: None,
            last_time: decoder.last_time(),
            state: decoder.state(),
        };
        if self.resume.as_ref() == Some(&cursor) {
            return None;
        }
        self.resume = Some(cursor.clone());
        Some(StoredCursor {
            source_id: self.source_id,
            cursor,
        })
    }
}

/// Assigns each input to a stream: one that is stored, one of an earlier input, or a new one.
fn plan(
    inputs: Vec<Input>,
    stored: &[StoredCursor],
    store: &Store,
) -> Result<(Vec<Stream>, Vec<Planned>)> {
    let mut streams: Vec<Stream> = Vec::new();
    let mut plan = Vec::new();
    for input in inputs {
        let known = resume::known(&input, stored, store)?;
        let same = streams.iter().position(|s| match &known {
            Some(known) => s.source_id == known.stored.source_id,
            None => s.source_id.is_none() && input.matches(&s.key),
        });
        let stream = same.unwrap_or_else(|| {
            streams.push(Stream::new(&input, known.as_ref()));
            streams.len() - 1
        });
        let shift = known.map_or(0, |k| k.shift);
        plan.push(Planned {
            stream,
            input,
            shift,
        });
    }
    Ok((streams, plan))
}

struct Pump<'o> {
    options: &'o Options,
    correlator: Correlator,
    streams: Vec<Stream>,
    current: Option<Begun>,
    summary: Summary,
    batch_bytes: usize,
    batch_since: Option<Instant>,
    parts: SyncSender<Part>,
    progress: Progress,
}

impl Pump<'_> {
    /// Takes what the reading thread says until it ends; commits by size and by time.
    fn pump(&mut self, fed: &Receiver<Fed>) -> Result<()> {
        loop {
            let wait = self
                .batch_since
                .map_or(BATCH_TIME, |t| BATCH_TIME.saturating_sub(t.elapsed()));
            match fed.recv_timeout(wait) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.commit(),
            }
            let is_late = self.batch_since.is_some_and(|t| t.elapsed() >= BATCH_TIME);
            let is_live = self.current.as_ref().is_some_and(|c| c.is_live);
            if self.batch_bytes >= BATCH_BYTES || (is_late && is_live) {
                self.commit()?;
            }
        }
    }

    fn take(&mut self, message: Fed) {
        match message {
            Fed::Begin(begun) => self.begin(begun),
            Fed::Chunk(chunk, anchors) => self.chunk(&chunk, anchors),
            Fed::End => self.end(),
            Fed::Failed(why) => {
                self.summary.failures.push(why);
                self.end();
            }
        }
    }

    fn begin(&mut self, begun: Begun) {
        self.summary.files += 1;
        let options = self.options;
        if let Some(stream) = self.streams.get_mut(begun.stream) {
            if let Some(key) = &begun.key
                && resume::length(key) >= resume::length(&stream.key)
            {
                stream.key.clone_from(key);
                stream.name.clone_from(&begun.name);
            }
            let state = stream.resume.as_ref().map(|c| c.state.as_str());
            stream
                .decoder
                .get_or_insert_with(|| Decoder::new(options, begun.hints, state));
        }
        self.current = Some(begun);
    }

    fn chunk(&mut self, chunk: &Chunk, anchors: Vec<Anchor>) {
        if let Some(stream) = self
            .current
            .as_ref()
            .and_then(|c| self.streams.get_mut(c.stream))
        {
            stream.anchors.extend(anchors);
            stream.is_read = true;
        }
        self.batch_since.get_or_insert_with(Instant::now);
        self.batch_bytes += chunk.data.len();
        self.summary.bytes += chunk.data.len() as u64;
        self.decode(|decoder, sink| decoder.decode(chunk, sink));
        self.progress.at(chunk.read, self.summary.lines);
    }

    fn end(&mut self) {
        // What comes through a pipe will not grow.
        if self.current.as_ref().is_some_and(|c| c.is_live) {
            self.decode(Decoder::finish);
        } else {
            self.decode(Decoder::pause);
        }
        if let Some(begun) = &self.current {
            self.summary.files_known += u64::from(begun.lines == 0);
            self.progress.file_done(begun.size);
        }
    }

    /// Lets the current decoder call back with entries and takes each through the stages.
    fn decode(&mut self, run: impl FnOnce(&mut Decoder, &mut dyn FnMut(&Entry<'_>))) {
        let Some(index) = self.current.as_ref().map(|c| c.stream) else {
            return;
        };
        let Some(stream) = self.streams.get_mut(index) else {
            return;
        };
        let Some(mut decoder) = stream.decoder.take() else {
            return;
        };
        let (correlator, summary) = (&mut self.correlator, &mut self.summary);
        let now = self.options.now;
        let before = summary.lines;
        run(&mut decoder, &mut |entry| {
            let event = parse::parse(entry);
            let class = Class::of(&event);
            summary.count(class);
            account(stream, summary, entry, &event, class, now);
            if !matches!(class, Class::Foreign | Class::Ignored) {
                correlator.feed(entry, &event);
            }
        });
        stream.decoder = Some(decoder);
        if let Some(begun) = &mut self.current {
            begun.lines += self.summary.lines - before;
        }
    }

    fn commit(&mut self) -> Result<()> {
        self.batch_bytes = 0;
        self.batch_since = None;
        let changes = self.correlator.drain();
        self.summary.add(&changes);
        let mut batch = Batch {
            changes,
            now: self.options.now,
            ..Batch::default()
        };
        for stream in &mut self.streams {
            if let Some(cursor) = stream.cursor() {
                batch.coverage.extend(stream.ledger.take(&stream.key));
                batch
                    .unparsed
                    .extend(stream.unparsed.drain().map(|(_, row)| row));
                batch
                    .anchors
                    .push((stream.key.clone(), std::mem::take(&mut stream.anchors)));
                batch.cursors.push(cursor);
            }
        }
        if batch.cursors.is_empty() {
            return Ok(());
        }
        let hosts = batch.coverage.iter().map(|row| row.host.to_string());
        self.summary.hosts.extend(hosts);
        // The storing thread says why it ended when it is joined.
        let is_urgent = self.current.as_ref().is_some_and(|c| c.is_live);
        self.parts
            .send(Part { batch, is_urgent })
            .map_err(|_| anyhow!("the database stopped"))
    }
}

/// Enters a record in the ledger of its source.
fn account(
    stream: &mut Stream,
    summary: &mut Summary,
    entry: &Entry<'_>,
    event: &Event<'_>,
    class: Class,
    now: Time,
) {
    if let Some(time) = entry.time {
        stream.ledger.count(entry.host, time, class);
        summary.see(time);
        summary.future += u64::from(time.since(now) > DAY);
        if let Event::Loss { lines, .. } = event {
            stream.ledger.lose(entry.host, time, lines.unwrap_or(1));
            summary.lost += lines.unwrap_or(1);
        }
    }
    if let Event::Other { text, .. } = event {
        note_unparsed(&mut stream.unparsed, entry, text);
    }
}

fn note_unparsed(
    unparsed: &mut HashMap<(String, String), UnparsedRow>,
    entry: &Entry<'_>,
    text: &str,
) {
    let mut key = (entry.program().to_owned(), parse::template(text));
    if unparsed.len() >= UNPARSED_LIMIT && !unparsed.contains_key(&key) {
        "(more templates)".clone_into(&mut key.1);
    }
    let row = unparsed
        .entry(key)
        .or_insert_with_key(|(service, template)| UnparsedRow {
            service: service.as_str().into(),
            template: template.as_str().into(),
            sample: text.into(),
            first_time: entry.time,
            last_time: entry.time,
            count: 0,
        });
    row.count += 1;
    row.first_time = row.first_time.min(entry.time).or(entry.time);
    row.last_time = row.last_time.max(entry.time);
}
