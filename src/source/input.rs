//! Input: one file, pipe or standard input, looked at so far as it takes to know what it is.

use super::chunk::{self, ChunkReader};
use super::decode::Decoder;
use super::error::Error;
use super::open::{self, Encoding, Stream};
use super::survey::Survey;
use super::{Chunk, Hints, Options, identity};
use crate::model::cursor::{FINGERPRINT_BYTES, SourceKey};
use crate::model::time::{DAY, Time};
use memchr::memchr;
use std::cell::OnceCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::SystemTime;

/// How much of the uncompressed content is looked at beforehand.
const HEAD_BYTES: usize = 64 * 1024;
/// A survey reads blocks of this size,
const BLOCK_BYTES: usize = 64 * 1024;
/// and at most about so many of them.
const BLOCKS: u64 = 1024;
/// A file last written before 1990 was given its time by a tool that knows none.
const OLDEST: Time = Time(20 * 365 * DAY);

/// A source to be read.
#[derive(Debug)]
pub struct Input {
    path: PathBuf,
    encoding: Encoding,
    size: u64,
    modified: Option<Time>,
    is_stream: bool,
    head: Vec<u8>,
    first: Option<Time>,
    /// Year of the first stamp without one, where `--year` tells it.
    pub(super) forced_year: Option<i32>,
    surveyed: OnceCell<Option<i32>>,
}

impl Input {
    /// Returns standard input.
    pub(super) fn stdin() -> Self {
        Self::pipe(PathBuf::from("-"))
    }

    /// Returns a source that can be read only once: standard input or a named pipe.
    pub(super) fn pipe(path: PathBuf) -> Self {
        Self {
            path,
            encoding: Encoding::Plain,
            size: 0,
            modified: None,
            is_stream: true,
            head: Vec::new(),
            first: None,
            forced_year: None,
            surveyed: OnceCell::new(),
        }
    }

    /// Looks at a file: encoding, fingerprint, first stamp.
    pub(super) fn file(path: PathBuf, options: &Options) -> Result<Self, Error> {
        let failed = |source| Error::Read {
            path: path.clone(),
            source,
        };
        let file = open::file(&path)?;
        let about = file.metadata().map_err(failed)?;
        let mut stream = open::of_file(file, &path).map_err(failed)?;
        let (head, damage) = read_head(&mut stream);
        if let Some(source) = damage.filter(|_| head.is_empty()) {
            return Err(damaged(&path, stream.encoding, source));
        }
        if let Some(error) = open::unreadable(&head, &path) {
            return Err(error);
        }
        let modified = about.modified().ok().and_then(time_of);
        let mut input = Self {
            encoding: stream.encoding,
            size: about.len(),
            modified,
            head,
            ..Self::pipe(path)
        };
        input.is_stream = false;
        input.first = input.first_time(options);
        let kept = usize::try_from(FINGERPRINT_BYTES).unwrap_or(HEAD_BYTES);
        input.head.truncate(kept);
        Ok(input)
    }

    /// Returns the path; `-` for standard input.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns how the file is compressed; a stream's is found out when it is read.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Returns the bytes of the file on disk; 0 for a stream.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns when the file was last written.
    #[must_use]
    pub fn modified(&self) -> Option<Time> {
        self.modified
    }

    /// Tells whether this is standard input or a pipe: no size, no second reading, no place to return to.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Returns the first time in the log, as well as the start of the file tells it.
    #[must_use]
    pub fn first(&self) -> Option<Time> {
        self.first
    }

    /// Returns what names this source for good.
    #[must_use]
    pub fn key(&self) -> SourceKey {
        if self.is_stream {
            SourceKey::Stdin
        } else {
            identity::key(&self.head)
        }
    }

    /// Returns the first bytes of the uncompressed content, as many as a fingerprint covers at most.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Tells whether this is the source of `key`, grown since or not.
    #[must_use]
    pub fn matches(&self, key: &SourceKey) -> bool {
        !self.is_stream && identity::matches(key, &self.head)
    }

    /// Returns what a decoder that reads the source from its beginning should know.
    ///
    /// May walk through the whole file, so ask only when reading starts at its beginning.
    #[must_use]
    pub fn hints(&self, options: &Options) -> Hints {
        let first_year = self
            .forced_year
            .or_else(|| *self.surveyed.get_or_init(|| self.survey(options)));
        Hints { first_year }
    }

    /// Returns a reader of the uncompressed content from `offset` on.
    ///
    /// A file that is shorter than that has nothing more to read.
    ///
    /// # Errors
    /// When the file cannot be opened or read up to the offset.
    pub fn read_from(&self, offset: u64) -> Result<ChunkReader, Error> {
        let path = self.path.clone();
        let failed = |source| damaged(&self.path, self.encoding, source);
        if self.is_stream {
            let source: Box<dyn Read + Send> = if self.path == Path::new("-") {
                Box::new(io::stdin())
            } else {
                Box::new(open::file(&path)?)
            };
            let stream = open::stream(source).map_err(failed)?;
            return Ok(ChunkReader::new(stream, path, 0, 0, true));
        }
        let mut file = open::file(&path)?;
        if self.encoding == Encoding::Plain {
            let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
            if length <= offset {
                return Ok(ChunkReader::empty(path, offset));
            }
            file.seek(SeekFrom::Start(offset)).map_err(failed)?;
            let stream = Stream::plain(Box::new(file));
            return Ok(ChunkReader::new(stream, path, offset, offset, false));
        }
        let mut stream = open::of_file(file, &path).map_err(failed)?;
        if chunk::skip(&mut *stream.reader, offset).map_err(failed)? < offset {
            return Ok(ChunkReader::empty(path, offset));
        }
        Ok(ChunkReader::new(stream, path, offset, 0, false))
    }

    fn first_time(&self, options: &Options) -> Option<Time> {
        let first_year = if self.encoding == Encoding::Plain {
            self.hints(options).first_year
        } else {
            let mut survey = Survey::default();
            survey.head(&self.head);
            survey.first_year(self.written(options))
        };
        let mut decoder = Decoder::new(options, Hints { first_year }, None);
        let chunk = Chunk {
            data: self.head.clone(),
            offset: 0,
            read: 0,
            is_last: true,
        };
        let mut first = None;
        let mut sink = |entry: &crate::model::entry::Entry<'_>| first = first.or(entry.time);
        decoder.decode(&chunk, &mut sink);
        decoder.finish(&mut sink);
        first
    }

    fn written(&self, options: &Options) -> Time {
        self.modified
            .filter(|time| *time > OLDEST)
            .map_or(options.now, |time| time.min(options.now))
    }

    fn survey(&self, options: &Options) -> Option<i32> {
        if self.is_stream {
            return None;
        }
        let mut survey = Survey::default();
        survey.head(&self.head);
        if !survey.is_settled() {
            let mut body = Survey::default();
            // What cannot be read will be told when it is read for good.
            let _ = self.walk(&mut body);
            survey = body;
        }
        survey.first_year(self.written(options))
    }

    fn walk(&self, survey: &mut Survey) -> Result<(), Error> {
        if self.encoding != Encoding::Plain {
            for chunk in self.read_from(0)? {
                survey.body(&chunk?.data);
            }
            return Ok(());
        }
        let failed = |source| damaged(&self.path, self.encoding, source);
        let mut file = open::file(&self.path)?;
        let step = (self.size / BLOCKS).max(BLOCK_BYTES as u64);
        let mut rest = Vec::new();
        let mut at = 0;
        while at < self.size {
            if step > BLOCK_BYTES as u64 {
                file.seek(SeekFrom::Start(at)).map_err(failed)?;
                rest.clear();
            }
            let block = open::read_up_to(&mut file, BLOCK_BYTES).map_err(failed)?;
            rest.extend_from_slice(&block);
            let is_cut = step > BLOCK_BYTES as u64 && at > 0;
            let start = if is_cut { after_line(&rest) } else { 0 };
            let end = memchr::memrchr(b'\n', &rest).map_or(start, |end| end + 1);
            survey.body(rest.get(start..end).unwrap_or_default());
            rest.drain(..end.min(rest.len()));
            at += step;
        }
        Ok(())
    }
}

fn after_line(data: &[u8]) -> usize {
    memchr(b'\n', data).map_or(data.len(), |end| end + 1)
}

/// Reads the head of a stream, as far as it is readable.
fn read_head(stream: &mut Stream) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let limit = HEAD_BYTES as u64;
    let damage = (&mut stream.reader)
        .take(limit)
        .read_to_end(&mut head)
        .err();
    stream.consumed.store(0, Ordering::Relaxed);
    (head, damage)
}

fn damaged(path: &Path, encoding: Encoding, source: io::Error) -> Error {
    let path = path.to_owned();
    if encoding == Encoding::Plain {
        Error::Read { path, source }
    } else {
        Error::Damaged {
            path,
            offset: 0,
            source,
        }
    }
}

fn time_of(time: SystemTime) -> Option<Time> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Time(i64::try_from(since.as_micros()).ok()?))
}
