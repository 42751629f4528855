//! File: one followed file, held open whatever its name becomes, and what of it was read.
//!
//! Promises: what is passed on are whole lines, each once. That the file was cut short and written anew is found even
//! if it is longer than before by then, because what was read last must still stand where it stood.
//!
//! Limits: a file that is rewritten with the same bytes cannot be told from one that was not touched.

use super::Id;
use crate::model::cursor::{Cursor, FINGERPRINT_BYTES};
use crate::model::time::Time;
use nix::sys::inotify::WatchDescriptor;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Usual size of a piece that is read; a line that is longer is passed on in pieces.
const PIECE_BYTES: usize = 1024 * 1024;
/// What a pipe holds at most, usually.
const PIPE_BYTES: usize = 64 * 1024;
/// How much of what was read last is remembered.
const TAIL_BYTES: usize = 512;
/// How far a hole at the beginning is looked for in one step.
const HOLE_BYTES: usize = 64 * 1024;

/// How a file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It holds no whole line yet, or nobody has looked.
    New,
    /// It is read.
    Reading,
    /// Its first bytes are those of another file, which is read.
    Twin(u64),
    /// It is not read, or no more: no log, or compressed and read to its end.
    Ignored,
}

/// What tells that a file was changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    pub(super) links: u64,
}

impl Stat {
    pub(super) fn of(about: &Metadata) -> Self {
        Self {
            size: about.size(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
            links: about.nlink(),
        }
    }

    /// Returns when it was written, in seconds.
    pub(super) fn written(&self) -> i64 {
        self.modified.0
    }
}

/// A followed file.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct File {
    /// Number in this process, and of the feed that reads it.
    pub(super) no: u64,
    pub(super) path: PathBuf,
    pub(super) id: Id,
    pub(super) handle: fs::File,
    /// The user named it, so that it is a log.
    pub(super) is_named: bool,
    /// Its path leads to it.
    pub(super) is_current: bool,
    pub(super) is_pipe: bool,
    pub(super) state: State,
    pub(super) stat: Stat,
    /// First bytes behind `head_at`, at most as many as a fingerprint covers.
    pub(super) head: Vec<u8>,
    /// Length of the hole that it begins with.
    pub(super) head_at: u64,
    /// Next byte to read.
    pub(super) offset: u64,
    /// What to add to a place in it to get the place in the stream.
    pub(super) shift: i64,
    /// The bytes before `offset`.
    pub(super) tail: Vec<u8>,
    /// When it was last seen to change.
    pub(super) changed: Instant,
    /// What may be missing before its first line.
    pub(super) lost: Option<String>,
    /// It is looked at only because it may hold the rest of what another was.
    pub(super) is_rest: bool,
    /// It may be read when nothing is known of it and it begins no earlier.
    pub(super) begins_after: Option<Time>,
    /// The stored stream that was read under its name.
    pub(super) expects: Option<Cursor>,
    /// It goes on what was read of this one.
    pub(super) after: Option<End>,
    /// It lies inside a stream that does not begin with it.
    pub(super) is_piece: bool,
    /// When it was written to before it was last read, in seconds.
    pub(super) written: i64,
    /// Some of it was read since it was opened.
    pub(super) is_begun: bool,
    pub(super) watched: Option<WatchDescriptor>,
}

/// Where reading of a file ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// What was read last.
    pub(super) tail: Vec<u8>,
    pub(super) offset: u64,
    pub(super) shift: i64,
    pub(super) head: Vec<u8>,
}

impl File {
    /// Opens a file or pipe.
    pub(super) fn open(no: u64, path: &Path, is_named: bool) -> io::Result<Self> {
        let is_pipe = fs::metadata(path)?.file_type().is_fifo();
        let file = if is_pipe {
            pipe(path)?
        } else {
            fs::File::open(path)?
        };
        let about = file.metadata()?;
        Ok(Self {
            no,
            path: path.to_owned(),
            id: Id::of(&about),
            handle: file,
            is_named,
            is_current: true,
            is_pipe,
            state: State::New,
            stat: Stat::default(),
            head: Vec::new(),
            head_at: 0,
            offset: 0,
            shift: 0,
            tail: Vec::new(),
            changed: Instant::now(),
            lost: None,
            is_rest: false,
            begins_after: None,
            expects: None,
            after: None,
            is_piece: false,
            written: i64::MAX,
            is_begun: false,
            watched: None,
        })
    }

    /// Looks at the file; returns whether it changed since the last look.
    pub(super) fn look(&mut self, now: Instant) -> io::Result<bool> {
        let stat = Stat::of(&self.handle.metadata()?);
        let is_changed = stat != self.stat;
        if is_changed {
            self.changed = now;
        }
        self.stat = stat;
        Ok(is_changed)
    }

    /// Forgets what was known of the content.
    pub(super) fn restart(&mut self) {
        self.state = State::New;
        self.head.clear();
        self.tail.clear();
        self.head_at = 0;
        self.offset = 0;
        self.shift = 0;
        self.stat = Stat::default();
        self.is_piece = false;
        self.is_begun = false;
    }

    /// Reads the head, as far as it is there now; returns whether there is more of it than before.
    pub(super) fn read_head(&mut self) -> io::Result<bool> {
        let limit = usize::try_from(FINGERPRINT_BYTES).unwrap_or(usize::MAX);
        if self.head.len() >= limit {
            return Ok(false);
        }
        if self.head.is_empty() {
            self.head_at = hole(&self.handle, self.head_at)?;
        }
        let head = self.read_at(self.head_at, limit)?;
        // Something else in its place is for `is_intact` to find.
        let is_more = head.len() > self.head.len() && head.starts_with(&self.head);
        if is_more {
            self.head = head;
        }
        Ok(is_more)
    }

    /// Tells whether what was read still stands where it stood.
    pub(super) fn is_intact(&self) -> io::Result<bool> {
        let tail_at = self.offset.saturating_sub(self.tail.len() as u64);
        Ok(self.read_at(self.head_at, self.head.len())? == self.head
            && self.read_at(tail_at, self.tail.len())? == self.tail)
    }

    /// Goes to the place from which to read.
    pub(super) fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.offset = offset.max(self.head_at);
        let start = self.head_at.max(offset.saturating_sub(TAIL_BYTES as u64));
        let length = usize::try_from(self.offset - start).unwrap_or_default();
        self.tail = self.read_at(start, length)?;
        if self.tail.len() < length {
            // Shorter than what was read under its name: nothing to compare with.
            self.tail.clear();
        }
        Ok(())
    }

    /// Returns the next whole lines, nothing when there are none.
    pub(super) fn next(&mut self) -> io::Result<Vec<u8>> {
        let mut data = self.read_at(self.offset, PIECE_BYTES)?;
        match memchr::memrchr(b'\n', &data) {
            Some(end) => data.truncate(end + 1),
            None if data.len() < PIECE_BYTES => data.clear(),
            None => {}
        }
        self.pass(&data);
        Ok(data)
    }

    /// Returns the unfinished last line.
    pub(super) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let data = self.read_at(self.offset, PIECE_BYTES)?;
        self.pass(&data);
        Ok(data)
    }

    /// Returns what is in the pipe.
    pub(super) fn read_pipe(&mut self) -> io::Result<Vec<u8>> {
        let mut data = vec![0; PIPE_BYTES];
        let length = match io::Read::read(&mut self.handle, &mut data) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            other => other?,
        };
        data.truncate(length);
        self.offset += length as u64;
        Ok(data)
    }

    /// Returns the place behind these bytes, which stand somewhere in the file, the last one if there are several.
    pub(super) fn find(&self, bytes: &[u8]) -> io::Result<Option<u64>> {
        let finder = memchr::memmem::FinderRev::new(bytes);
        let overlap = bytes.len().saturating_sub(1);
        let mut end = self.handle.metadata()?.size();
        while !bytes.is_empty() && end > 0 {
            let start = end.saturating_sub((PIECE_BYTES + overlap) as u64);
            let length = usize::try_from(end - start).unwrap_or_default();
            let block = self.read_at(start, length)?;
            if let Some(at) = finder.rfind(&block) {
                return Ok(Some(start + (at + bytes.len()) as u64));
            }
            if start == 0 {
                break;
            }
            end = start + overlap as u64;
        }
        Ok(None)
    }

    fn pass(&mut self, data: &[u8]) {
        self.offset += data.len() as u64;
        self.tail.extend_from_slice(data);
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        read_at(&self.handle, offset, length)
    }
}

/// Opens a pipe that is not at its end when its last writer goes.
fn pipe(path: &Path) -> io::Result<fs::File> {
    let flags = nix::libc::O_NONBLOCK;
    let both = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(path);
    both.or_else(|_| {
        fs::OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(path)
    })
}

fn read_at(file: &fs::File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut data = vec![0; length];
    let mut filled = 0;
    while let Some(space) = data.get_mut(filled..).filter(|space| !space.is_empty()) {
        match file.read_at(space, offset + filled as u64) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    data.truncate(filled);
    Ok(data)
}

/// Returns where the first byte that is not NUL stands, from `start` on, or where the file ends: a writer that does not append leaves a hole
/// when its file is cut short under it.
pub(super) fn hole(file: &fs::File, start: u64) -> io::Result<u64> {
    let from = i64::try_from(start).unwrap_or(i64::MAX);
    let data = nix::unistd::lseek(file, from, nix::unistd::Whence::SeekData);
    let mut at = data
        .ok()
        .and_then(|at| u64::try_from(at).ok())
        .unwrap_or(start);
    loop {
        let block = read_at(file, at, HOLE_BYTES)?;
        if let Some(data) = block.iter().position(|byte| *byte != 0) {
            return Ok(at + data as u64);
        }
        at += block.len() as u64;
        if block.len() < HOLE_BYTES {
            return Ok(at);
        }
    }
}
