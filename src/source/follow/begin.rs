//! Begin: how followed files come to be read, from where, and what is read before them.

use super::file::{End, File, Stat, State};
use super::life::{Step, drain, step};
use super::watch::place_of;
use super::{Candidate, Follower, Gone, Place, Taker, key_of, names, tell_name};
use crate::model::cursor::{Cursor, SourceKey};
use crate::model::time::{HOUR, MINUTE, SECOND, Time};
use crate::source::input::Input;
use crate::source::{Encoding, Error, Hints, Options, identity};
use std::cmp::Reverse;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Stamps may be in another zone than file times, so a rotated file may seem that much older than its last line.
const SLACK: i64 = 26 * HOUR;
/// Lines of several writers are not quite in the order of their stamps.
const DISORDER: i64 = MINUTE;
/// A compressed file beside what it is made from is left alone until it has not been written for so long.
const SETTLED: Duration = Duration::from_secs(2);
/// A file in a directory that has no time so far in it is no log.
const LOG_BYTES: u64 = 64 * 1024;
/// Bytes that are enough to recognise a place by.
const RECOGNISED_BYTES: usize = 64;

/// A file that can be read now.
struct Ready {
    no: u64,
    input: Option<Input>,
}

impl Follower {
    /// Adds the rotated files beside a path that may hold what was not read of its predecessors; returns the stored
    /// stream that was read under this name last, when following just begins.
    pub(super) fn rests(
        &mut self,
        path: &Path,
        taker: &mut dyn Taker,
    ) -> Result<Option<Cursor>, Gone> {
        let is_before =
            |f: &File| f.path == path && !f.is_current && f.state == State::Reading && !f.is_pipe;
        let is_new = self.files.iter().all(|f| f.path != path);
        let stored = self.stored.iter().map(|s| &s.cursor);
        let last = stored
            .filter(|c| c.offset > 0 && names::are_related(path, Path::new(&c.name)))
            .max_by_key(|c| c.last_time)
            .cloned();
        let (written, begins_after) =
            if let Some(before) = self.files.iter_mut().rev().find(|f| is_before(f)) {
                let stat = before.stat;
                if let Step::Cut = step(before, Instant::now(), taker)? {
                    // To be found again when there is time for it.
                    before.stat = stat;
                }
                (before.stat.written(), taker.last_time(before.no)?)
            } else if let Some(time) = last.as_ref().and_then(|c| c.last_time) {
                (time.plus(-SLACK).0 / SECOND, Some(time))
            } else {
                return Ok(None);
            };
        self.add_rests(path, written, begins_after);
        Ok(last.filter(|_| is_new))
    }

    /// Adds the rotated files beside a path that were not last written before.
    pub(super) fn add_rests(&mut self, path: &Path, written: i64, begins_after: Option<Time>) {
        // One that is gone by now has just got another name, or was compressed.
        for _ in 0..3 {
            let rotated = names::rotated(path);
            for path in &rotated {
                self.rest(path, written, begins_after);
            }
            if rotated.iter().all(|path| path.exists()) {
                break;
            }
        }
    }

    /// Adds a rotated file unless it was last written before.
    fn rest(&mut self, path: &Path, written: i64, begins_after: Option<Time>) {
        let no = self.number();
        let Ok(mut file) = File::open(no, path, false) else {
            return;
        };
        let is_new = self.files.iter().all(|f| f.id != file.id);
        let is_young = file
            .handle
            .metadata()
            .is_ok_and(|about| Stat::of(&about).written() >= written);
        if is_new && is_young && !file.is_pipe {
            file.is_current = false;
            file.is_rest = true;
            file.begins_after = begins_after;
            self.push(file);
        }
    }

    /// Begins to read what has got its first line, in the order of its content.
    pub(super) fn identify(
        &mut self,
        now: Instant,
        options: &Options,
        taker: &mut dyn Taker,
    ) -> Result<(), Gone> {
        let mut ready = Vec::new();
        let new = self.files.iter().filter(|f| f.state == State::New);
        let new: Vec<u64> = new.map(|file| file.no).collect();
        for no in new {
            match self.is_ready(no, now, options) {
                Ok(Some(file)) => ready.push(file),
                Ok(None) => {}
                Err(error) => self.not_ready(no, &error, now, taker),
            }
        }
        ready.sort_by_cached_key(|ready| {
            let input = ready.input.as_ref();
            let begins = input.and_then(|i| i.first().or(i.modified()));
            let path = input.map(|i| i.path().to_owned());
            (
                begins.is_none(),
                begins,
                Reverse(input.map(Input::size)),
                path,
            )
        });
        for Ready { no, input } in ready {
            self.start(no, input.as_ref(), options, taker)?;
        }
        Ok(())
    }

    pub(super) fn index(&self, no: u64) -> Option<usize> {
        self.files.iter().position(|file| file.no == no)
    }

    pub(super) fn file(&mut self, no: u64) -> Option<&mut File> {
        self.files.iter_mut().find(|file| file.no == no)
    }

    /// Returns what a new file is, when it can be read; a pipe is no input.
    fn is_ready(
        &mut self,
        no: u64,
        now: Instant,
        options: &Options,
    ) -> Result<Option<Ready>, Error> {
        let Some(file) = self.file(no) else {
            return Ok(None);
        };
        let failed = |path: &Path, source| Error::Read {
            path: path.to_owned(),
            source,
        };
        if file.is_pipe {
            return Ok(Some(Ready { no, input: None }));
        }
        let is_changed = file.look(now).map_err(|e| failed(&file.path, e))?;
        if !is_changed {
            return Ok(None);
        }
        // What was there before may have been cut short.
        file.head.clear();
        file.head_at = 0;
        file.read_head().map_err(|e| failed(&file.path, e))?;
        let is_plain = Encoding::of(&file.head) == Encoding::Plain;
        let is_line = memchr::memchr(b'\n', &file.head).is_some() || file.stat.size > LOG_BYTES;
        if file.head.is_empty() || (is_plain && !is_line) {
            return Ok(None);
        }
        if !is_plain && is_being_written(&file.handle, &file.path) {
            // To be looked at again even if it does not change any more.
            file.stat = Stat::default();
            return Ok(None);
        }
        let place = place_of(&file.handle, &file.path);
        let input = Input::file_at(&place, file.path.clone(), options)?;
        if !is_plain {
            file.head = input.head().to_vec();
            if file.head.is_empty() {
                file.state = State::Ignored;
                return Ok(None);
            }
        }
        let is_log = file.is_named || input.first().is_some();
        if is_log {
            let input = Some(input);
            return Ok(Some(Ready { no, input }));
        }
        if file.stat.size > LOG_BYTES || file.is_rest {
            file.state = State::Ignored;
        }
        Ok(None)
    }

    fn not_ready(&mut self, no: u64, error: &Error, now: Instant, taker: &mut dyn Taker) {
        let Some(file) = self.file(no) else { return };
        let (path, is_silent) = (file.path.clone(), !file.is_named);
        if let Error::Read { source, .. } = error {
            file.stat = Stat::default();
            let source = std::io::Error::from(source.kind());
            return self.trouble(&path, &source, now, taker);
        }
        file.state = State::Ignored;
        if !is_silent {
            taker.say(&error.to_string(), error.hint().as_deref());
        }
    }

    /// Begins to read a file, unless another with the same beginning is read.
    fn start(
        &mut self,
        no: u64,
        input: Option<&Input>,
        options: &Options,
        taker: &mut dyn Taker,
    ) -> Result<(), Gone> {
        // What is compressed may hold more than what it was made from: the pump passes over what it has.
        let is_plain = input
            .as_ref()
            .is_some_and(|i| i.encoding() == Encoding::Plain);
        if is_plain && let Some(twin) = self.twin_of(no, taker)? {
            return self.twins(no, twin, taker);
        }
        let Some(index) = self.index(no) else {
            return Ok(());
        };
        let mut file = self.files.remove(index);
        let begun = self.begin(&mut file, input, options, taker);
        self.files.push(file);
        begun
    }

    /// Returns the file that is read and begins with the same bytes, as far as both go.
    fn twin_of(&mut self, no: u64, taker: &mut dyn Taker) -> Result<Option<u64>, Gone> {
        let Some(head) = self.file(no).map(|file| file.head.clone()) else {
            return Ok(None);
        };
        let mut twin = None;
        let others = self.files.iter_mut().filter(|other| {
            other.no != no && other.state == State::Reading && !other.is_pipe && !other.is_piece
        });
        for other in others {
            // What it has grown by may part the two: then its name must say so before the other is opened.
            if other.read_head().unwrap_or(false) {
                tell_name(other, taker)?;
            }
            let common = other.head.len().min(head.len());
            if common > 0 && other.head.get(..common) == head.get(..common) {
                twin = Some(other.no);
            }
        }
        Ok(twin)
    }

    /// Lets the file that goes on be read, and the other wait.
    fn twins(&mut self, no: u64, twin: u64, taker: &mut dyn Taker) -> Result<(), Gone> {
        let is_followed = self.file(twin).is_some_and(|other| other.is_current);
        let is_intact = |file: &mut File| file.is_intact().unwrap_or(true);
        let is_cut = self.file(twin).is_some_and(|other| !is_intact(other));
        let Some(file) = self.file(no) else {
            return Ok(());
        };
        if is_cut {
            // The other one has been cut short since: this is its copy, and its turn comes when that is dealt with.
            file.stat = Stat::default();
            return Ok(());
        }
        file.state = State::Twin(twin);
        if !is_followed && file.is_current {
            self.succeed(no, twin, taker)?;
        }
        Ok(())
    }

    /// Reads `no` from where `twin` was read to.
    pub(super) fn succeed(
        &mut self,
        no: u64,
        twin: u64,
        taker: &mut dyn Taker,
    ) -> Result<(), Gone> {
        let Some(before) = self.index(twin) else {
            return Ok(());
        };
        let mut before = self.files.remove(before);
        let drained = drain(&mut before, taker);
        before.state = State::Twin(no);
        if let Some(file) = self.file(no) {
            file.restart();
            file.after = Some(End {
                tail: before.tail.clone(),
                offset: before.offset,
                shift: before.shift,
                head: before.head.clone(),
            });
        }
        let ended = taker.end(before.no);
        before.no = self.number();
        self.files.push(before);
        drained.and(ended)
    }

    fn begin(
        &mut self,
        file: &mut File,
        input: Option<&Input>,
        options: &Options,
        taker: &mut dyn Taker,
    ) -> Result<(), Gone> {
        let Some(place) = self.place(file, input, taker)? else {
            file.state = State::Ignored;
            return taker.end(file.no);
        };
        self.account_for(file, options);
        let hints = match input {
            Some(input) if place.offset == 0 => input.hints(options),
            _ => Hints::default(),
        };
        taker.begin(file.no, hints)?;
        if let Some(lost) = file.lost.take() {
            taker.lose(file.no, &lost)?;
        }
        file.state = State::Reading;
        match input.filter(|input| input.encoding() != Encoding::Plain) {
            Some(packed) => unpack(file, packed, place.offset, taker),
            None if file.is_pipe => Ok(()),
            None => {
                // At once, because others may be waiting for their turn.
                file.is_begun = true;
                file.written = file.stat.written();
                drain(file, taker)
            }
        }
    }

    /// Notes which stored streams are there again, and what of the one that had the file's name is not.
    fn account_for(&mut self, file: &mut File, options: &Options) {
        let heads = || self.files.iter().map(|f| f.head.as_slice());
        let unseen = self.stored.iter().map(|s| &s.cursor);
        let unseen = unseen.filter(|c| c.offset > 0 && !self.accounted.contains(&c.key));
        let found: Vec<SourceKey> = unseen
            .filter(|c| {
                let mut heads = heads().chain([file.head.as_slice()]);
                heads.any(|head| identity::matches(&c.key, head))
            })
            .map(|c| c.key.clone())
            .collect();
        self.accounted.extend(found);
        let Some(expected) = file.expects.take() else {
            return;
        };
        if self.accounted.insert(expected.key) {
            let time = expected.last_time.unwrap_or(options.now);
            file.lost = Some(format!(
                "the file that was {} until {} is gone: lines after that time may be missing",
                file.path.display(),
                options.zone.show(time)
            ));
        }
    }

    /// Asks from where to read a file and goes there; none when it is not to be read.
    fn place(
        &mut self,
        file: &mut File,
        input: Option<&Input>,
        taker: &mut dyn Taker,
    ) -> Result<Option<Place>, Gone> {
        let after = file.after.take().or_else(|| self.end_before(file));
        let continued = after.filter(|_| input.is_some_and(|i| i.encoding() == Encoding::Plain));
        let continued = continued.and_then(|end| Some((file.goes_on_at(&end)?, end)));
        let mut candidate = Candidate {
            no: file.no,
            path: &file.path,
            head: &file.head,
            key: key_of(file),
            size: file.stat.size,
            input,
        };
        if let Some((at, end)) = continued {
            candidate.head = &end.head;
            candidate.key = identity::key(&end.head);
            candidate.input = None;
            let place = taker.open(&candidate)?;
            file.is_piece = !file.head.starts_with(&end.head);
            file.shift = end.shift + signed(end.offset) - signed(at);
            // What cannot be read will be tried again.
            let _ = file.seek(at);
            let offset = at.max(1);
            return Ok(Some(Place { offset, ..place }));
        }
        let place = taker.open(&candidate)?;
        let is_later = || {
            let begins = input.and_then(Input::first);
            file.begins_after
                .is_some_and(|time| begins >= Some(time.plus(-DISORDER)))
        };
        if file.is_rest && !place.is_known && !is_later() {
            return Ok(None);
        }
        file.is_piece = place.is_piece;
        if input.is_none_or(|input| input.encoding() == Encoding::Plain) && !file.is_pipe {
            let _ = file.seek(place.offset);
        }
        Ok(Some(place))
    }

    /// Returns where the file that had this path before ends, if this one may be an edited copy of it.
    fn end_before(&mut self, file: &File) -> Option<End> {
        let is_before = |f: &&File| {
            f.path == file.path && !f.is_current && f.state == State::Reading && !f.is_pipe
        };
        let before = self.files.iter().rev().find(is_before)?;
        Some(End {
            tail: before.tail.clone(),
            offset: before.offset,
            shift: before.shift,
            head: before.head.clone(),
        })
    }
}

/// Reads a compressed file to its end; it is not followed after that.
fn unpack(file: &mut File, input: &Input, offset: u64, taker: &mut dyn Taker) -> Result<(), Gone> {
    file.state = State::Ignored;
    let chunks = match input.read_from(offset) {
        Ok(chunks) => chunks,
        Err(error) => {
            taker.say(&error.to_string(), error.hint().as_deref());
            return taker.end(file.no);
        }
    };
    for chunk in chunks {
        match chunk {
            Ok(chunk) => {
                let is_last = chunk.is_last;
                taker.chunk(file.no, chunk, is_last)?;
            }
            Err(error) => {
                taker.say(&error.to_string(), error.hint().as_deref());
                // Once it changes it is read again.
                file.state = State::New;
                file.head.clear();
            }
        }
    }
    taker.end(file.no)
}

/// Tells whether a compressed file may grow: what it is made from is there until it is whole.
fn is_being_written(file: &std::fs::File, path: &Path) -> bool {
    if !path.with_extension("").exists() {
        return false;
    }
    let modified = file.metadata().and_then(|about| about.modified());
    modified.is_ok_and(|at| {
        SystemTime::now()
            .duration_since(at)
            .is_ok_and(|age| age < SETTLED)
    })
}

fn signed(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

impl File {
    /// Returns where this file goes on after the end of the one that had its name, if it holds what stood there.
    fn goes_on_at(&self, end: &End) -> Option<u64> {
        if end.tail.len() < RECOGNISED_BYTES {
            return None;
        }
        self.find(&end.tail).ok().flatten()
    }
}
