//! Life: how followed files are read, cut short, succeeded and let go.

use super::file::{File, State};
use super::watch::place_of;
use super::{Follower, Gone, Taker, names, tell_name};
use crate::source::input::Input;
use crate::source::{Chunk, Encoding, Options, error};
use std::path::Path;
use std::time::{Duration, Instant};

/// A twin that has more is read instead of one that has not changed for so long.
const STALE: Duration = Duration::from_secs(2);

impl Follower {
    /// Reads what is new; returns whether a file begins anew.
    pub(super) fn read(
        &mut self,
        now: Instant,
        options: &Options,
        taker: &mut dyn Taker,
    ) -> Result<bool, Gone> {
        let mut begins_anew = false;
        self.files.sort_by_key(|file| file.is_current);
        let numbers: Vec<u64> = self.files.iter().map(|file| file.no).collect();
        for no in numbers {
            let Some(index) = self.index(no) else {
                continue;
            };
            let Some(file) = self.files.get_mut(index) else {
                continue;
            };
            match file.state {
                State::Reading if file.is_pipe => read_pipe(file, taker)?,
                State::Reading => match step(file, now, taker)? {
                    Step::Read => {}
                    Step::Cut => {
                        self.cut_short(no, options, taker)?;
                        begins_anew = true;
                    }
                },
                State::Twin(other) => begins_anew |= self.twin_step(no, other, now, taker)?,
                State::New | State::Ignored => {}
            }
        }
        Ok(begins_anew)
    }

    /// Looks whether two files with the same beginning have parted, or the other one goes on.
    fn twin_step(
        &mut self,
        no: u64,
        other: u64,
        now: Instant,
        taker: &mut dyn Taker,
    ) -> Result<bool, Gone> {
        let Some(read) = self.files.iter().find(|f| f.no == other) else {
            return Ok(self.anew(no));
        };
        let (head, size, since) = (read.head.clone(), read.stat.size, now - read.changed);
        let (state, is_followed) = (read.state.clone(), read.is_current);
        let Some(file) = self.file(no) else {
            return Ok(false);
        };
        match state {
            State::Reading => {}
            // It begins in a moment.
            State::New => return Ok(false),
            State::Twin(third) if third != no => {
                file.state = State::Twin(third);
                return Ok(false);
            }
            State::Twin(_) | State::Ignored => return Ok(self.anew(no)),
        }
        let is_changed = file.look(now).unwrap_or(false);
        if is_changed {
            let _ = file.read_head();
            let common = head.len().min(file.head.len());
            if file.head.get(..common) != head.get(..common) {
                return Ok(self.anew(no));
            }
        }
        let has_more = file.stat.size > size;
        if file.is_current && (!is_followed || (has_more && since >= STALE)) {
            self.succeed(no, other, taker)?;
            return Ok(true);
        }
        Ok(false)
    }

    pub(super) fn anew(&mut self, no: u64) -> bool {
        self.file(no).map(File::restart).is_some()
    }

    /// Ends the reading of a file that was cut short, and looks for a copy of what it was.
    fn cut_short(&mut self, no: u64, options: &Options, taker: &mut dyn Taker) -> Result<(), Gone> {
        let Some(index) = self.index(no) else {
            return Ok(());
        };
        let mut file = self.files.remove(index);
        let mut has_copy = false;
        for twin in &mut self.files {
            if twin.state == State::Twin(no) {
                let _ = twin.look(Instant::now());
                has_copy |= twin.stat.size >= file.offset;
                twin.restart();
            }
        }
        // A copy may just be on its way to another name.
        for _ in 0..3 {
            for path in names::copies(&file.path) {
                has_copy |= self.copy(&path, &file, options);
            }
            if has_copy {
                break;
            }
        }
        // And it may have been cut short more than once.
        let last_time = taker.last_time(no)?;
        self.add_rests(&file.path, file.written, last_time);
        if !has_copy {
            file.lost = Some(format!(
                "{} was truncated: lines that maillog had not read may be missing",
                file.path.display()
            ));
        }
        file.restart();
        file.no = self.number();
        self.files.push(file);
        taker.end(no)
    }

    /// Adds a file if it is a copy of what another was; returns whether it is one that is whole.
    fn copy(&mut self, path: &Path, of: &File, options: &Options) -> bool {
        let no = self.number();
        let Ok(mut copy) = File::open(no, path, false) else {
            return false;
        };
        let place = place_of(&copy.handle, path);
        let input = (!copy.is_pipe).then(|| Input::file_at(&place, path.to_owned(), options));
        let Some(Ok(input)) = input else {
            return false;
        };
        let is_same = input.head().starts_with(&of.head);
        let is_whole = input.encoding() != Encoding::Plain || input.size() >= of.offset;
        let is_new = self.files.iter().all(|f| f.id != copy.id) && copy.id != of.id;
        if is_same && is_new {
            copy.is_current = false;
            copy.is_rest = true;
            self.push(copy);
        }
        is_same && is_whole
    }

    /// Lets files go that have lost their name and are not written to any more.
    pub(super) fn let_go(&mut self, now: Instant, taker: &mut dyn Taker) -> Result<(), Gone> {
        let is_succeeded = |gone: &File, files: &[File]| {
            let mut others = files.iter().filter(|f| f.is_current && f.path == gone.path);
            gone.stat.links == 0 || gone.is_rest || others.any(|f| f.stat.size > 0)
        };
        let mut index = 0;
        while let Some(file) = self.files.get(index) {
            let is_quiet = now - file.changed >= self.keep;
            let is_over = file.state == State::Ignored && file.is_rest;
            if file.is_current || !(is_over || is_quiet && is_succeeded(file, &self.files)) {
                index += 1;
                continue;
            }
            let mut file = self.files.remove(index);
            if let Some(watched) = file.watched {
                self.watch.forget(watched);
            }
            if file.state == State::Reading {
                end(&mut file, taker)?;
            }
        }
        Ok(())
    }
}

/// How a look at a file that is read ended.
pub(super) enum Step {
    Read,
    /// It was cut short, or written anew.
    Cut,
}

/// Reads what a file has got since the last look.
pub(super) fn step(file: &mut File, now: Instant, taker: &mut dyn Taker) -> Result<Step, Gone> {
    let is_begun = file.is_begun;
    let before = file.stat.size;
    let Ok(is_changed) = file.look(now) else {
        return Ok(Step::Read);
    };
    if !is_changed && is_begun {
        return Ok(Step::Read);
    }
    if file.stat.size < before || !file.is_intact().unwrap_or(true) {
        return Ok(Step::Cut);
    }
    if file.read_head().unwrap_or(false) {
        tell_name(file, taker)?;
    }
    file.is_begun = true;
    file.written = file.stat.written();
    drain(file, taker)?;
    Ok(Step::Read)
}

/// Passes on all whole lines that are there.
pub(super) fn drain(file: &mut File, taker: &mut dyn Taker) -> Result<(), Gone> {
    loop {
        let offset = file.offset;
        let data = match file.next() {
            Ok(data) if !data.is_empty() => data,
            Ok(_) => return Ok(()),
            Err(error) => {
                let (path, why) = (file.path.display(), error::plain(&error));
                taker.say(&format!("cannot read {path}: {why}"), None);
                return Ok(());
            }
        };
        let is_urgent = file.offset + data.len() as u64 >= file.stat.size;
        taker.chunk(file.no, chunk(file, offset, data), is_urgent)?;
    }
}

/// Passes on what is left of a file that will not grow any more, and ends it.
fn end(file: &mut File, taker: &mut dyn Taker) -> Result<(), Gone> {
    if !file.is_pipe {
        drain(file, taker)?;
        let offset = file.offset;
        if let Ok(data) = file.rest()
            && !data.is_empty()
        {
            taker.chunk(file.no, chunk(file, offset, data), true)?;
        }
    }
    taker.end(file.no)
}

fn chunk(file: &File, offset: u64, data: Vec<u8>) -> Chunk {
    Chunk {
        data,
        offset: offset.saturating_add_signed(file.shift),
        read: file.offset,
        is_last: false,
    }
}

fn read_pipe(file: &mut File, taker: &mut dyn Taker) -> Result<(), Gone> {
    loop {
        let offset = file.offset;
        match file.read_pipe() {
            Ok(data) if !data.is_empty() => {
                taker.chunk(file.no, chunk(file, offset, data), true)?;
            }
            _ => return Ok(()),
        }
    }
}
