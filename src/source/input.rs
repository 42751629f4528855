//! Input: one file, pipe or standard input, looked at so far as it takes to know what it is.

use super::ahead::{self, Ahead};
use super::backward::{self, Backward};
use super::blocks::{self, Parts};
use super::chunk::{self, ChunkReader};
use super::decode::Decoder;
use super::direction::Direction;
use super::error::Error;
use super::open::{self, Encoding, Stream};
use super::survey::Survey;
use super::{Chunk, Hints, Options, identity};
use crate::model::cursor::{FINGERPRINT_BYTES, SourceKey};
use crate::model::time::{DAY, Time};
use memchr::memchr;
use std::cell::OnceCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// How much of the uncompressed content is looked at beforehand.
const HEAD_BYTES: usize = 64 * 1024;
/// A survey reads blocks of this size,
const BLOCK_BYTES: usize = 64 * 1024;
/// and at most about so many of them.
const BLOCKS: u64 = 1024;
/// What helps when files stand in the wrong order in a file that is too long to be put in order.
const FILES_CURE: &str = "give maillog the files themselves: it puts them in order";
/// A file last written before 1990 was given its time by a tool that knows none.
const OLDEST: Time = Time(20 * 365 * DAY);

/// A source to be read.
#[derive(Debug, Clone)]
pub struct Input {
    path: PathBuf,
    /// Where it is opened.
    place: PathBuf,
    encoding: Encoding,
    size: u64,
    modified: Option<Time>,
    is_stream: bool,
    order: Order,
    /// It was found in a directory, not named.
    pub(super) is_found: bool,
    /// A stream that was looked into.
    ahead: Arc<Mutex<Looked>>,
    head: Vec<u8>,
    first: Option<Time>,
    /// Year of the first stamp without one, where `--year` tells it.
    pub(super) forced_year: Option<i32>,
    surveyed: OnceCell<Option<i32>>,
}

/// In which order a file is read; what is said of it (its head, its first time) means the lines in that order.
#[derive(Debug, Clone)]
enum Order {
    AsWritten,
    /// Its last line is the first.
    Backward,
    /// It is made of several files: these parts of it, one after the other.
    Blocks(Arc<[Range<u64>]>),
}

/// What became of a stream.
#[derive(Default)]
enum Looked {
    /// Nobody looked.
    #[default]
    Not,
    /// It stands at its beginning.
    Into(Ahead),
    /// It cannot be read.
    Failed(Error),
    /// It is being read.
    Taken,
}

impl std::fmt::Debug for Looked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Looked")
    }
}

impl Input {
    /// Returns standard input.
    pub(super) fn stdin() -> Self {
        Self::pipe(PathBuf::from("-"))
    }

    /// Returns a source that can be read only once: standard input or a named pipe.
    pub(super) fn pipe(path: PathBuf) -> Self {
        Self {
            place: path.clone(),
            path,
            encoding: Encoding::Plain,
            size: 0,
            modified: None,
            is_stream: true,
            order: Order::AsWritten,
            is_found: false,
            ahead: Arc::default(),
            head: Vec::new(),
            first: None,
            forced_year: None,
            surveyed: OnceCell::new(),
        }
    }

    /// Looks at a file: encoding, fingerprint, first stamp, and whether its newest line comes first.
    pub(super) fn file(path: PathBuf, options: &Options) -> Result<Self, Error> {
        let (input, direction) = Self::look_at(&path.clone(), path, options)?;
        if direction.is_backward() {
            return input.turned(options);
        }
        input.arranged(options)
    }

    /// Looks at a file that is to be opened at `place`, whatever it is called.
    pub(super) fn file_at(place: &Path, path: PathBuf, options: &Options) -> Result<Self, Error> {
        Ok(Self::look_at(place, path, options)?.0)
    }

    fn look_at(place: &Path, path: PathBuf, options: &Options) -> Result<(Self, Direction), Error> {
        let failed = |source| Error::Read {
            path: path.clone(),
            source,
        };
        let file = open::file(place).map_err(|error| error.at(&path))?;
        let about = file.metadata().map_err(failed)?;
        let mut stream = open::of_file(file, place).map_err(failed)?;
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
        place.clone_into(&mut input.place);
        let (first, direction) = input.first_time(options);
        input.first = first;
        if !direction.is_backward() {
            input.keep_head();
        }
        Ok((input, direction))
    }

    /// Returns the same file, to be read from its end.
    fn turned(mut self, options: &Options) -> Result<Self, Error> {
        if has_more_lines_a_record(&self.head) {
            return Err(
                self.newest_first("write it in time order: use journalctl without -r".to_owned())
            );
        }
        self.order = Order::Backward;
        self.look_again(options)
    }

    /// Returns the same file, its parts in the order of time if it is made of several.
    fn arranged(mut self, options: &Options) -> Result<Self, Error> {
        let failed = |source| damaged(&self.path, self.encoding, source);
        let is_marked = blocks::is_marked(&self.head);
        if !is_marked && self.encoding != Encoding::Plain {
            return Ok(self);
        }
        let mut file = open::file(&self.place).map_err(|error| error.at(&self.path))?;
        if !is_marked && !blocks::goes_back(&mut file, self.size).map_err(failed)? {
            return Ok(self);
        }
        file.rewind().map_err(failed)?;
        let stream = open::of_file(file, &self.place).map_err(failed)?;
        // What is damaged is told when it is read for good.
        let Ok(Some(parts)) = blocks::find(stream.reader) else {
            return Ok(self);
        };
        self.order = Order::Blocks(parts.into());
        self.look_again(options)
    }

    /// Looks at the head of the file in its new order.
    fn look_again(mut self, options: &Options) -> Result<Self, Error> {
        self.surveyed = OnceCell::new();
        let mut stream = self.ordered_stream()?;
        self.head = read_head(&mut stream).0;
        self.first = self.first_time(options).0;
        self.keep_head();
        Ok(self)
    }

    fn keep_head(&mut self) {
        let kept = usize::try_from(FINGERPRINT_BYTES).unwrap_or(HEAD_BYTES);
        self.head.truncate(kept);
    }

    /// Opens the file in its order.
    fn ordered_stream(&self) -> Result<Stream, Error> {
        let failed = |source| damaged(&self.path, self.encoding, source);
        let file = open::file(&self.place).map_err(|error| error.at(&self.path))?;
        if self.encoding == Encoding::Plain {
            let source: Box<dyn Read + Send> = match &self.order {
                Order::AsWritten => Box::new(file),
                Order::Backward => Box::new(Backward::new(file).map_err(failed)?),
                Order::Blocks(parts) => Box::new(Parts::new(file, parts)),
            };
            return Ok(Stream::plain(source));
        }
        let mut packed = open::of_file(file, &self.place).map_err(failed)?;
        let most = ahead::MOST_BYTES;
        let lines = open::read_up_to(&mut *packed.reader, most + 1).map_err(failed)?;
        if lines.len() > most {
            let unpack = match self.encoding {
                Encoding::Bzip2 => "bzcat",
                Encoding::Xz => "xzcat",
                Encoding::Zstd => "zstdcat",
                _ => "zcat",
            };
            let name = self.path.display();
            return Err(self.newest_first(match &self.order {
                Order::Blocks(_) => FILES_CURE.to_owned(),
                _ => format!("try: {unpack} {name} | tac | maillog ingest -"),
            }));
        }
        let ordered = match &self.order {
            Order::AsWritten => lines,
            Order::Backward => {
                let mut turned = Vec::new();
                backward::turn(&lines, &mut turned);
                turned
            }
            Order::Blocks(parts) => blocks::arranged(&lines, parts),
        };
        Ok(Stream::plain(Box::new(io::Cursor::new(ordered))))
    }

    fn newest_first(&self, cure: String) -> Error {
        let path = self.path.clone();
        Error::NewestFirst { path, cure }
    }

    /// Returns the path; `-` for standard input.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells whether it was found in a directory that was named.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.is_found
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
            let stream = match std::mem::replace(&mut *self.looked(), Looked::Taken) {
                Looked::Into(ahead) => Stream::plain(Box::new(ahead)),
                Looked::Failed(error) => return Err(error),
                Looked::Not | Looked::Taken => self.open_stream()?,
            };
            return Ok(ChunkReader::new(stream, path, 0, 0, true));
        }
        if !matches!(self.order, Order::AsWritten) {
            let mut stream = self.ordered_stream()?;
            if chunk::skip(&mut *stream.reader, offset).map_err(failed)? < offset {
                return Ok(ChunkReader::empty(path, offset));
            }
            return Ok(ChunkReader::new(stream, path, offset, 0, false));
        }
        let mut file = open::file(&self.place).map_err(|error| error.at(&path))?;
        if self.encoding == Encoding::Plain {
            let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
            if length <= offset {
                return Ok(ChunkReader::empty(path, offset));
            }
            file.seek(SeekFrom::Start(offset)).map_err(failed)?;
            let stream = Stream::plain(Box::new(file));
            return Ok(ChunkReader::new(stream, path, offset, offset, false));
        }
        let mut stream = open::of_file(file, &self.place).map_err(failed)?;
        if chunk::skip(&mut *stream.reader, offset).map_err(failed)? < offset {
            return Ok(ChunkReader::empty(path, offset));
        }
        Ok(ChunkReader::new(stream, path, offset, 0, false))
    }

    fn open_stream(&self) -> Result<Stream, Error> {
        let source: Box<dyn Read + Send> = if self.path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(open::file(&self.place)?)
        };
        open::stream(source).map_err(|source| damaged(&self.path, self.encoding, source))
    }

    fn looked(&self) -> MutexGuard<'_, Looked> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into a stream that nobody has looked into: returns the year of its first stamp without one. What fails is told
    /// when it is read.
    fn look_ahead(&self, options: &Options) -> Option<i32> {
        let mut looked = self.looked();
        if !matches!(*looked, Looked::Not) {
            return None;
        }
        let mut ahead = match self.open_stream() {
            Ok(stream) => Ahead::of(stream),
            Err(error) => {
                *looked = Looked::Failed(error);
                return None;
            }
        };
        let head = ahead.head();
        let head = head.get(..HEAD_BYTES).unwrap_or(head);
        if let Some(error) = open::unreadable(head, &self.path).filter(|_| open::is_verbose(head)) {
            *looked = Looked::Failed(error);
            return None;
        }
        if look(head, options, None).1.is_backward() {
            let is_turned = !has_more_lines_a_record(head) && ahead.turn();
            if !is_turned {
                let cure = "reverse it: ... | tac | maillog ingest -, or write it in time order";
                *looked = Looked::Failed(self.newest_first(cure.to_owned()));
                return None;
            }
        } else if blocks::is_marked(head) {
            // What does not end is read as it comes; the self-check says where it goes back.
            ahead.arrange();
        }
        let mut survey = Survey::default();
        survey.head(ahead.head().get(..HEAD_BYTES).unwrap_or(ahead.head()));
        if !survey.has_anchor() {
            survey = Survey::default();
            survey.body(ahead.head());
        }
        // The rest of a longer pipe may tell otherwise.
        let is_known = ahead.is_whole() || survey.has_anchor();
        *looked = Looked::Into(ahead);
        survey.first_year(options.now).filter(|_| is_known)
    }

    fn first_time(&self, options: &Options) -> (Option<Time>, Direction) {
        let first_year = if self.encoding == Encoding::Plain {
            self.hints(options).first_year
        } else {
            let mut survey = Survey::default();
            survey.head(&self.head);
            survey.first_year(self.written(options))
        };
        look(&self.head, options, first_year)
    }

    fn written(&self, options: &Options) -> Time {
        self.modified
            .filter(|time| *time > OLDEST)
            .map_or(options.now, |time| time.min(options.now))
    }

    fn survey(&self, options: &Options) -> Option<i32> {
        if self.is_stream {
            return self.look_ahead(options);
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
        if self.encoding != Encoding::Plain || !matches!(self.order, Order::AsWritten) {
            for chunk in self.read_from(0)? {
                survey.body(&chunk?.data);
                if survey.has_anchor() {
                    break;
                }
            }
            return Ok(());
        }
        let failed = |source| damaged(&self.path, self.encoding, source);
        let mut file = open::file(&self.place)?;
        let step = (self.size / BLOCKS).max(BLOCK_BYTES as u64);
        let mut rest = Vec::new();
        let mut at = 0;
        while at < self.size && !survey.has_anchor() {
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

/// Returns the first time in the first bytes of a log, and in which order its lines are.
fn look(head: &[u8], options: &Options, first_year: Option<i32>) -> (Option<Time>, Direction) {
    let mut decoder = Decoder::new(options, Hints { first_year }, None);
    let chunk = Chunk {
        data: head.to_vec(),
        offset: 0,
        read: 0,
        is_last: true,
    };
    let (mut first, mut direction) = (None, Direction::default());
    let mut sink = |entry: &crate::model::entry::Entry<'_>| {
        first = first.or(entry.time);
        direction.see(entry);
    };
    decoder.decode(&chunk, &mut sink);
    decoder.finish(&mut sink);
    (first, direction)
}

/// Tells whether a record may have several lines, so that turning lines round would tear it.
fn has_more_lines_a_record(head: &[u8]) -> bool {
    let has = |mark: &[u8]| memchr::memmem::find(head, mark).is_some();
    let is_export = head.starts_with(b"__") || head.starts_with(b"{\n");
    let is_docker = head.starts_with(b"{\"log\":");
    let is_cut = |line: &[u8]| {
        line.starts_with(b"{\"log\":") && memchr::memmem::find(line, b"\\n\",\"stream\"").is_none()
    };
    is_export
        || has(b" stdout P ")
        || has(b" stderr P ")
        || (is_docker
            && head
                .split_inclusive(|byte| *byte == b'\n')
                .any(|line| line.ends_with(b"\n") && is_cut(line)))
}

fn after_line(data: &[u8]) -> usize {
    memchr(b'\n', data).map_or(data.len(), |end| end + 1)
}

/// Reads the head of a stream, as far as it is readable.
fn read_head(stream: &mut Stream) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let mut damage = None;
    // A writer that does not append leaves a hole when its file is cut short under it.
    while damage.is_none() && head.len() < HEAD_BYTES {
        let room = (HEAD_BYTES - head.len()) as u64;
        let result = (&mut stream.reader).take(room).read_to_end(&mut head);
        let hole = head.iter().take_while(|byte| **byte == 0).count();
        head.drain(..hole);
        damage = result
            .as_ref()
            .err()
            .map(|error| io::Error::from(error.kind()));
        if hole == 0 || matches!(result, Ok(0)) {
            damage = result.err();
            break;
        }
    }
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
