//! Chunk: a stream of bytes in portions that end with a line where they can.

use super::error::Error;
use super::open::{Encoding, Stream};
use memchr::memrchr;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// Usual size of a chunk.
const CHUNK_BYTES: usize = 1024 * 1024;
/// Most that one read of a compressed stream asks for: damage costs at most what the failing read had unpacked.
const UNPACK_BYTES: usize = 32 * 1024;

/// A portion of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The bytes; whole lines but for the end of the source and lines longer than a chunk.
    pub data: Vec<u8>,
    /// Offset of the first of them in the uncompressed stream.
    pub offset: u64,
    /// Bytes of the file itself that were read so far.
    pub read: u64,
    /// Nothing follows now; more may once the file has grown.
    pub is_last: bool,
}

/// Reads a source chunk by chunk; after an error there is nothing more.
pub struct ChunkReader {
    stream: Option<Stream>,
    path: PathBuf,
    offset: u64,
    /// What was read of the file before the stream began.
    base: u64,
    /// The beginning of a line that goes on in the next chunk.
    rest: Vec<u8>,
    /// A pipe: what has come is passed on without waiting for more.
    is_live: bool,
    failure: Option<io::Error>,
}

impl ChunkReader {
    /// Returns a reader of a stream that stands at `offset`; `base` bytes of the file lie before it.
    pub(super) fn new(
        stream: Stream,
        path: PathBuf,
        offset: u64,
        base: u64,
        is_live: bool,
    ) -> Self {
        Self {
            stream: Some(stream),
            path,
            offset,
            base,
            rest: Vec::new(),
            is_live,
            failure: None,
        }
    }

    /// Returns a reader with nothing to read.
    pub(super) fn empty(path: PathBuf, offset: u64) -> Self {
        Self {
            stream: None,
            path,
            offset,
            base: offset,
            rest: Vec::new(),
            is_live: false,
            failure: None,
        }
    }

    /// Fills a chunk up to its size; returns it and whether the stream has ended.
    fn fill(&mut self, stream: &mut Stream) -> (Vec<u8>, bool) {
        let mut data = std::mem::take(&mut self.rest);
        let portion = match stream.encoding {
            Encoding::Plain => CHUNK_BYTES,
            _ => UNPACK_BYTES,
        };
        data.reserve(CHUNK_BYTES);
        loop {
            let start = data.len();
            data.resize(start + portion.min(CHUNK_BYTES), 0);
            let space = data.get_mut(start..).unwrap_or_default();
            match stream.reader.read(space) {
                Ok(length) => {
                    data.truncate(start + length);
                    if length == 0 {
                        return (data, true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => data.truncate(start),
                Err(error) => {
                    data.truncate(start);
                    self.failure = Some(error);
                    return (data, true);
                }
            }
            let is_full = data.len() >= CHUNK_BYTES;
            if is_full || (self.is_live && memrchr(b'\n', &data).is_some()) {
                return (data, false);
            }
        }
    }

    fn error(&self, source: io::Error, encoding: Encoding) -> Error {
        let path = self.path.clone();
        if encoding == Encoding::Plain {
            Error::Read { path, source }
        } else {
            Error::Damaged {
                path,
                offset: self.offset,
                source,
            }
        }
    }
}

impl Iterator for ChunkReader {
    type Item = Result<Chunk, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut stream = self.stream.take()?;
        if let Some(failure) = self.failure.take() {
            return Some(Err(self.error(failure, stream.encoding)));
        }
        let (mut data, is_last) = self.fill(&mut stream);
        if !is_last && let Some(end) = memrchr(b'\n', &data) {
            self.rest = data.split_off(end + 1);
        }
        let chunk = Chunk {
            offset: self.offset,
            read: self.base + stream.consumed.load(Ordering::Relaxed),
            is_last,
            data,
        };
        self.offset += chunk.data.len() as u64;
        if !is_last || self.failure.is_some() {
            self.stream = Some(stream);
        }
        Some(Ok(chunk))
    }
}

/// Drops bytes of a stream; returns how many there were.
pub(super) fn skip(reader: &mut dyn Read, length: u64) -> io::Result<u64> {
    io::copy(&mut reader.take(length), &mut io::sink())
}
