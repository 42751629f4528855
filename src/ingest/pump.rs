//! The loop source -> decode -> parse -> correlate -> store, fed by any number of readers.
//!
//! Promises: what is committed is a prefix of each source together with everything that follows from it.
//! A source that fails half-way keeps what was readable; the others are read all the same.

use super::account::{account, count_lines, first, know};
use super::clock::Present;
use super::feed::{Ending, Fed, FeedId, Lost, Opened, Opening, Piecemeal, Reply};
use super::health::Health;
use super::progress::Progress;
use super::stats::{Class, Opaque, Summary};
use super::stream::{Stream, StreamNo, Streams};
use super::writer::{Jobs, Part};
use crate::check;
use crate::correlate::Correlator;
use crate::metrics::Tally;
use crate::model::cursor::SourceKey;
use crate::model::entry::Entry;
use crate::model::event::Event;
use crate::model::row::UndatedRow;
use crate::model::time::{DAY, Time};
use crate::parse;
use crate::seen::Seen;
use crate::source::{Chunk, Decoder, Hints, Options};
use crate::store::Batch;
use anyhow::{Result, anyhow};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// Bytes of log in one part: large enough that most messages begin and end in it, small enough that its rows
/// fit in memory twice (one part is stored while the next is understood).
const BATCH_BYTES: usize = 8 << 20;
/// What came from a source that has nothing more is committed this often, so that a line is found within two seconds.
const BATCH_TIME: Duration = Duration::from_secs(1);
/// After a quiet time it is committed so soon: what belongs together comes together.
const SOON: Duration = Duration::from_millis(200);

/// What is decided before anything is read.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How stamps are read; `now` is that of the beginning.
    pub options: Options,
    /// Where the present is taken from later.
    pub present: Present,
    /// Days that raw lines are kept, 0 for not at all.
    pub retain_lines_days: u32,
}

impl Rules {
    /// Returns the time from which on raw lines are kept.
    #[must_use]
    pub fn log_line_from(&self, now: Time) -> Option<Time> {
        let days = i64::from(self.retain_lines_days);
        (days > 0).then(|| now.plus(-days * DAY))
    }
}

/// Understands what readers say, and hands parts over to be stored.
pub struct Pump<'h> {
    rules: Rules,
    correlator: Correlator,
    streams: Streams,
    seen: Seen,
    feeds: HashMap<FeedId, Open>,
    /// The feed that the current part is from, as far as a feed wants its own counts.
    last: Option<FeedId>,
    summary: Summary,
    batch_bytes: usize,
    batch_since: Option<Instant>,
    /// When something was last handed over.
    handed_over: Instant,
    is_urgent: bool,
    /// Parts handed over.
    parts: u64,
    jobs: Jobs,
    health: &'h Health,
    progress: Progress,
    tally: Tally,
}

/// A feed that is open.
struct Open {
    stream: StreamNo,
    name: String,
    size: u64,
    lines: u64,
    /// What looks wrong in its lines.
    watch: check::Lines,
    understood: u64,
    /// Its first line, while nothing is understood; none where it was read before.
    sample: Option<String>,
    /// Its own counts, when somebody wants them.
    summary: Option<Summary>,
    since: Instant,
}

impl<'h> Pump<'h> {
    /// Returns a pump; its parts go to `jobs`.
    pub fn new(
        rules: Rules,
        correlator: Correlator,
        streams: Streams,
        seen: Seen,
        jobs: Jobs,
        health: &'h Health,
        progress: Progress,
    ) -> Self {
        Self {
            rules,
            correlator,
            streams,
            seen,
            feeds: HashMap::new(),
            last: None,
            summary: Summary::default(),
            batch_bytes: 0,
            batch_since: None,
            handed_over: Instant::now(),
            is_urgent: false,
            parts: 0,
            jobs,
            health,
            progress,
            tally: Tally::default(),
        }
    }

    /// Counts deliveries to these domains apart.
    #[must_use]
    pub fn with_domains(mut self, domains: &[String]) -> Self {
        self.tally = Tally::new(domains);
        self
    }

    /// Takes what the readers say until none is left; commits by size, and by time where it is urgent.
    ///
    /// # Errors
    /// When the storing thread has ended; it says why when it is joined.
    pub fn pump(mut self, fed: &Receiver<Fed>) -> Result<Summary> {
        loop {
            self.health.pump_lives(self.correlator.open_count());
            match fed.recv_timeout(self.wait().unwrap_or(BATCH_TIME)) {
                Ok(message) => self.take(message)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let is_late = self.wait().is_some_and(|wait| wait.is_zero());
            if self.batch_bytes >= BATCH_BYTES || is_late {
                self.commit()?;
            }
        }
        self.commit()?;
        self.progress.finish();
        self.summary.finish(self.progress.seconds());
        Ok(self.summary)
    }

    /// Returns how long an urgent batch may wait before it is committed; others wait until they are large.
    fn wait(&self) -> Option<Duration> {
        if !self.is_urgent {
            return None;
        }
        let soon = SOON.saturating_sub(self.batch_since?.elapsed());
        Some(soon.max(BATCH_TIME.saturating_sub(self.handed_over.elapsed())))
    }

    fn take(&mut self, message: Fed) -> Result<()> {
        match message {
            Fed::Open(id, opening, reply) => self.open(id, &opening, &reply),
            Fed::Begin(id, hints) => self.begin(id, hints),
            Fed::Chunk(id, piece) => return self.chunk(id, *piece),
            Fed::Name(id, name, key) => {
                if let Some(stream) = self.stream_of(id) {
                    stream.rename(&name, key.as_ref());
                }
                if let Some(open) = self.feeds.get_mut(&id) {
                    open.name = name;
                }
            }
            Fed::End(id, ending, reply) => return self.end(id, ending, reply),
        }
        Ok(())
    }

    fn open(&mut self, id: FeedId, opening: &Opening, reply: &SyncSender<Opened>) {
        let (stream, opened) = self.streams.open(opening);
        let is_file = matches!(opening.key, SourceKey::File { .. } | SourceKey::Stdin);
        let is_new = is_file && opened.offset == 0 && opening.piece.is_none();
        let open = Open {
            stream,
            name: opening.name.clone(),
            size: opening.size,
            lines: 0,
            watch: check::Lines::default(),
            understood: 0,
            sample: is_new.then(String::new),
            summary: opening.is_counted.then(Summary::default),
            since: Instant::now(),
        };
        if let Some(last) = opened.last_time {
            // Known from before, until something is read.
            self.health.source(&open.name, |s| {
                s.last_entry.get_or_insert(last);
            });
        }
        self.feeds.insert(id, open);
        if let Some(begun) = self.streams.get_mut(stream).filter(|s| s.feeds == 1) {
            let is_journal = matches!(begun.key, SourceKey::Journal { .. });
            let recent = begun.recent();
            self.seen.begin(stream, &begun.name, is_journal, recent);
            self.seen.read_anew(opening.is_again);
        }
        // A reader that is gone has ended its feed, too.
        let _ = reply.send(opened);
    }

    fn begin(&mut self, id: FeedId, hints: Hints) {
        self.summary.files += 1;
        if let Some(summary) = self.feeds.get_mut(&id).and_then(|o| o.summary.as_mut()) {
            summary.files += 1;
        }
        let options = Options {
            now: self.rules.present.now(),
            ..self.rules.options
        };
        if let Some(stream) = self.stream_of(id) {
            stream.begin(&options, hints);
        }
    }

    fn stream_of(&mut self, id: FeedId) -> Option<&mut Stream> {
        let no = self.feeds.get(&id)?.stream;
        self.streams.get_mut(no)
    }

    fn chunk(&mut self, id: FeedId, piece: Piecemeal) -> Result<()> {
        let Piecemeal {
            mut chunk,
            anchors,
            journal,
            lost,
            is_urgent,
        } = piece;
        self.attribute(id)?;
        let now = self.rules.present.now();
        let Some(stream) = self.stream_of(id) else {
            return Ok(());
        };
        if journal.is_some() {
            stream.journal = journal;
        } else {
            let from = stream.position();
            pass_over(&mut chunk, from);
            let news = anchors.into_iter().filter(|a| a.position >= from);
            stream.anchors.extend(news);
        }
        stream.is_read = true;
        if let Some(decoder) = &mut stream.decoder {
            decoder.set_now(now);
        }
        self.batch_since.get_or_insert_with(Instant::now);
        self.is_urgent |= is_urgent;
        self.batch_bytes += chunk.data.len();
        self.health.read(chunk.data.len());
        self.count_journal(id, &chunk);
        self.counts(id, |s| s.bytes += chunk.data.len() as u64);
        let (unplaced, placed) = match lost {
            Some(lost) if lost.host.is_empty() => (Some(lost), None),
            lost => (None, lost),
        };
        if let Some(lost) = placed {
            self.lose(id, &lost);
        }
        self.decode(id, now, |decoder, sink| decoder.decode(&chunk, sink))?;
        if let Some(lost) = unplaced {
            // Whose log it is, and when it goes on, is known only now.
            let begins = self.stream_of(id).and_then(|s| s.ledger.begins());
            let (host, time) = begins.unwrap_or((lost.host, now));
            self.lose(id, &Lost { host, time, ..lost });
        }
        self.progress.at(chunk.read, self.summary.lines);
        Ok(())
    }

    /// Hands over what belongs to another feed, when one of the two wants its own counts.
    fn attribute(&mut self, id: FeedId) -> Result<()> {
        let is_counted = |id: &FeedId| self.feeds.get(id).is_some_and(|o| o.summary.is_some());
        let is_other = self.last.is_some_and(|last| last != id);
        if is_other && (is_counted(&id) || self.last.as_ref().is_some_and(is_counted)) {
            self.commit()?;
        }
        self.last = Some(id);
        Ok(())
    }

    fn counts(&mut self, id: FeedId, add: impl Fn(&mut Summary)) {
        add(&mut self.summary);
        if let Some(summary) = self.feeds.get_mut(&id).and_then(|o| o.summary.as_mut()) {
            add(summary);
        }
    }

    fn end(&mut self, id: FeedId, ending: Ending, reply: Option<Reply>) -> Result<()> {
        let Some(stream) = self.stream_of(id) else {
            return Ok(());
        };
        stream.feeds = stream.feeds.saturating_sub(1);
        let (is_last, is_read) = (stream.feeds == 0, stream.is_read);
        self.attribute(id)?;
        let now = self.rules.present.now();
        // The end of the stream is not near while somebody else reads on.
        if is_last && is_read {
            match ending {
                Ending::Finish => self.decode(id, now, Decoder::finish)?,
                Ending::Pause | Ending::Failed(_) => self.decode(id, now, Decoder::pause)?,
            }
            self.correlator.settle();
            self.batch_since.get_or_insert_with(Instant::now);
        }
        if let Ending::Failed(why) = ending {
            self.counts(id, |s| s.failures.push(why.clone()));
        }
        let lines = self.feeds.get(&id).map_or(0, |o| o.lines);
        let looked = self.feeds.get(&id);
        let findings = looked.map_or_else(Vec::new, |o| o.watch.findings(&o.name));
        self.counts(id, |s| s.findings.extend(findings.iter().cloned()));
        self.counts(id, |s| s.files_known += u64::from(lines == 0));
        if let Some(opaque) = self.feeds.get(&id).and_then(opaque) {
            self.counts(id, |s| s.opaque.push(opaque.clone()));
        }
        if let Some(open) = self.feeds.get(&id) {
            self.progress.file_done(open.size);
            // A followed file has a second feed for a moment, where somebody asks how far it was read.
            let is_read_on = self
                .feeds
                .iter()
                .any(|(other, also)| *other != id && also.name == open.name);
            if !is_read_on {
                self.health
                    .source(&open.name, |s| "ended".clone_into(&mut s.state));
            }
        }
        let Some(reply) = reply else {
            self.feeds.remove(&id);
            return Ok(());
        };
        // Its rows go in one part with all before it; its counts are complete then.
        self.is_urgent = true;
        self.commit_for(Some((id, reply)))
    }

    /// Lets the decoder of a feed call back with entries and takes each through the stages.
    fn decode(
        &mut self,
        id: FeedId,
        now: Time,
        run: impl FnOnce(&mut Decoder, &mut dyn FnMut(&Entry<'_>)),
    ) -> Result<()> {
        let Some(open) = self.feeds.get_mut(&id) else {
            return Ok(());
        };
        let Some(stream) = self.streams.get_mut(open.stream) else {
            return Ok(());
        };
        let Some(mut decoder) = stream.decoder.take() else {
            return Ok(());
        };
        let (correlator, health, tally) = (&mut self.correlator, self.health, &mut self.tally);
        let seen = &mut self.seen;
        seen.stored(health.stored());
        seen.turn_to(open.stream);
        let watch = &mut open.watch;
        let mut counted = Summary::default();
        let mut failed = Ok(());
        run(&mut decoder, &mut |entry| {
            let event = parse::parse(entry);
            stream.has_told |= !matches!(event, Event::Foreign);
            let class = Class::at(entry.time, &event);
            let bears = !matches!(class, Class::Foreign | Class::Ignored | Class::Undated);
            if failed.is_ok() && bears {
                match seen.tell(entry) {
                    Ok(None) => {}
                    Ok(Some(other)) => {
                        watch.known();
                        return know(stream, &mut counted, entry, seen.name(other));
                    }
                    Err(error) => failed = Err(error),
                }
            }
            counted.count(class);
            first(&mut open.sample, counted.lines, entry);
            account(stream, &mut counted, entry, &event, class, now);
            watch.see(entry, &event, now);
            if class != Class::Undated {
                tally.see(entry, &event);
            }
            if bears {
                correlator.feed(entry, &event);
            }
        });
        health.take_in(&counted);
        count_lines(tally, &open.name, &counted);
        health.source(&open.name, |s| {
            s.lines += counted.lines;
            s.last_entry = decoder.last_time();
            s.last_read = Some(now);
        });
        stream.decoder = Some(decoder);
        open.lines += counted.lines;
        open.understood += counted.understood + counted.known;
        if let Some(summary) = &mut open.summary {
            summary.take_in(&counted);
        }
        self.summary.take_in(&counted);
        failed
    }

    /// Enters what a reader knows to be missing.
    fn lose(&mut self, id: FeedId, lost: &Lost) {
        let lines = lost.lines.unwrap_or(1);
        if let Some(stream) = self.stream_of(id) {
            stream.ledger.lose(&lost.host, lost.time, lines);
        }
        self.health.lose(lines);
        if let Some(open) = self.feeds.get(&id) {
            self.tally.gap(&open.name, "missing");
        }
        self.counts(id, |s| s.lost += lines);
        let entry = Entry {
            time: Some(lost.time),
            time_ambiguous: false,
            host: &lost.host,
            ident: "maillog",
            pid: None,
            text: &lost.text,
            repeated: 0,
            truncated: false,
            trust: crate::model::entry::Trust::Unproven,
            raw: &lost.text,
        };
        let event = Event::Loss {
            lines: lost.lines,
            text: &lost.text,
        };
        self.correlator.feed(&entry, &event);
    }

    fn commit(&mut self) -> Result<()> {
        self.commit_for(None)
    }

    /// Hands everything over to be stored; what a feed that has ended is waiting for, too.
    fn commit_for(&mut self, ended: Option<(FeedId, Reply)>) -> Result<()> {
        self.batch_bytes = 0;
        self.batch_since = None;
        self.handed_over = Instant::now();
        let now = self.rules.present.now();
        let mut part = Part {
            is_urgent: std::mem::take(&mut self.is_urgent),
            ..Part::default()
        };
        if part.is_urgent {
            // Somebody waits for what was logged just now; the next line may be long in coming.
            self.correlator.settle();
        }
        self.parts += 1;
        part.no = self.parts;
        part.batch = self.batch(now, &mut part.streams)?;
        let hosts: Vec<String> = part
            .batch
            .coverage
            .iter()
            .map(|r| r.host.to_string())
            .collect();
        let last = ended.as_ref().map(|(id, _)| *id).or(self.last);
        for summary in self.summaries(last) {
            summary.add(&part.batch.changes);
            summary.hosts.extend(hosts.iter().cloned());
        }
        if let Some((id, reply)) = ended
            && let Some(open) = self.feeds.remove(&id)
        {
            let mut summary = open.summary.unwrap_or_default();
            summary.finish(open.since.elapsed().as_secs_f64());
            part.replies.push((reply, summary));
        }
        self.streams.settle();
        self.correlator
            .keep_lines_from(self.rules.log_line_from(now));
        if part.batch.cursors.is_empty() && part.replies.is_empty() {
            return Ok(());
        }
        // The storing thread says why it ended when it is joined.
        let is_stored = self.jobs.store(part);
        is_stored
            .then_some(())
            .ok_or_else(|| anyhow!("the database stopped"))
    }

    /// Returns the counts of all, and of the feed that the part is from.
    fn summaries(&mut self, last: Option<FeedId>) -> impl Iterator<Item = &mut Summary> {
        let of_feed = last
            .and_then(|id| self.feeds.get_mut(&id))
            .and_then(|open| open.summary.as_mut());
        std::iter::once(&mut self.summary).chain(of_feed)
    }

    fn batch(&mut self, now: Time, streams: &mut Vec<StreamNo>) -> Result<Batch> {
        let mut batch = Batch {
            changes: self.correlator.drain(),
            now,
            ..Batch::default()
        };
        for (no, stream) in self.streams.active() {
            let before = stream.resume.as_ref().map_or(0, |cursor| cursor.offset);
            if let Some(cursor) = stream.cursor(self.seen.recent(no)) {
                let bytes = cursor.cursor.offset.saturating_sub(before);
                self.tally.bytes(&stream.name, bytes);
                batch.coverage.extend(stream.ledger.take(&stream.key));
                batch
                    .unparsed
                    .extend(stream.unparsed.drain().map(|(_, row)| row));
                if let (lines @ 1.., sample) = std::mem::take(&mut stream.undated) {
                    batch.undated.push(UndatedRow {
                        source: stream.key.clone(),
                        lines,
                        sample: sample.into(),
                    });
                }
                batch
                    .anchors
                    .push((stream.key.clone(), std::mem::take(&mut stream.anchors)));
                let told = self.seen.take(no, self.parts)?;
                batch.seen.push((stream.key.clone(), told));
                batch.cursors.push(cursor);
                streams.push(no);
            }
        }
        // Without a cursor nothing is stored, and the lines are read again.
        if !batch.cursors.is_empty() {
            batch.counts = self.tally.take();
        }
        Ok(batch)
    }

    /// Counts the bytes of a journal; those of a file follow from how far its cursor moved.
    fn count_journal(&mut self, id: FeedId, chunk: &Chunk) {
        let stream = self.feeds.get(&id).map(|open| open.stream);
        if let Some(stream) = stream.and_then(|no| self.streams.get_mut(no))
            && matches!(stream.key, SourceKey::Journal { .. })
        {
            self.tally.bytes(&stream.name, chunk.data.len() as u64);
        }
    }
}

/// Cuts off what the stream has already: it stands at `from`.
fn pass_over(chunk: &mut Chunk, from: u64) {
    let known = usize::try_from(from.saturating_sub(chunk.offset)).unwrap_or(usize::MAX);
    if known > 0 {
        chunk.data.drain(..known.min(chunk.data.len()));
        chunk.offset = from;
    }
}

/// Returns what is said of an input that was read whole and not understood.
fn opaque(open: &Open) -> Option<Opaque> {
    let sample = open.sample.clone()?;
    (open.lines > 0 && open.understood == 0).then(|| Opaque {
        name: open.name.clone(),
        lines: open.lines,
        sample,
    })
}
