//! Open: a file to the stream of its uncompressed bytes, told by content and not by name.
//!
//! Promises: several compressed members one after another are one stream; what comes before damage is delivered.
//!
//! Limits: archives of several files (zip, tar) and `compress(1)` are named, not read.

use super::error::Error;
use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Never.
    Plain,
    /// gzip(1).
    Gzip,
    /// bzip2(1).
    Bzip2,
    /// xz(1).
    Xz,
    /// zstd(1).
    Zstd,
    /// A file of the systemd journal, read as its export format.
    Journal,
}

/// Bytes at the start of a file that tell its encoding.
const MAGIC_BYTES: usize = 8;

impl Encoding {
    /// Tells the encoding by the first bytes of a file.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            #[cfg(feature = "journal")]
            _ if head.starts_with(super::journal::MAGIC) => Self::Journal,
            _ => Self::Plain,
        }
    }
}

/// Names a content that cannot be read as log, with the cure.
pub(super) fn unreadable(head: &[u8], path: &Path) -> Option<Error> {
    let name = path.display();
    let (what, cure) = match head {
        [b'P', b'K', 3, 4, ..] => (
            "a zip archive",
            format!("unzip -p {name} | maillog ingest -"),
        ),
        [0x1f, 0x9d, ..] => (
            "packed with compress",
            format!("zcat {name} | maillog ingest -"),
        ),
        _ if head.get(257..262) == Some(b"ustar") => (
            "a tar archive",
            format!("tar -xOf {name} | maillog ingest -"),
        ),
        _ if head.starts_with(b"LPKSHHRH") => (
            "a systemd journal",
            format!("journalctl --file {name} -o export | maillog ingest -"),
        ),
        _ if head.starts_with(b"SQLite format 3\0") => ("an SQLite database", String::new()),
        _ if head.get(8..12) == Some(b"DUCK") => ("a DuckDB database", String::new()),
        _ if head.starts_with(b"\x7fELF") => ("a program", String::new()),
        _ if is_verbose(head) => (
            "the output of journalctl -o verbose, which is for people",
            "journalctl -o export | maillog ingest -".to_owned(),
        ),
        _ => return None,
    };
    let cure = if cure.is_empty() {
        "name the log file itself".to_owned()
    } else {
        format!("try: {cure}")
    };
    Some(Error::NotLog {
        path: path.to_owned(),
        what,
        cure,
    })
}

/// Tells whether text is what `journalctl -o verbose` writes: `Sat 2026-11-21 03:21:40.123456 UTC [s=...;i=...]` and fields.
pub(super) fn is_verbose(head: &[u8]) -> bool {
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"-- "));
    let (first, second) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let has_cursor = memchr::memmem::find(first, b" [s=").is_some() && first.ends_with(b"]");
    has_cursor && second.starts_with(b"    ")
}

/// A stream of uncompressed bytes, and how many bytes of the file itself it took.
pub(super) struct Stream {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) encoding: Encoding,
    pub(super) consumed: Arc<AtomicU64>,
}

impl Stream {
    /// Returns a stream of bytes that are known not to be compressed.
    pub(super) fn plain(source: Box<dyn Read + Send>) -> Self {
        let consumed = Arc::new(AtomicU64::new(0));
        let inner = source;
        let counting = Counting {
            inner,
            consumed: Arc::clone(&consumed),
        };
        Self {
            reader: Box::new(counting),
            encoding: Encoding::Plain,
            consumed,
        }
    }
}

/// Opens a stream on any source of bytes.
///
/// # Errors
/// When the first bytes cannot be read, or the decompressor cannot be set up.
pub(super) fn stream(mut source: Box<dyn Read + Send>) -> io::Result<Stream> {
    let head = read_up_to(&mut source, MAGIC_BYTES)?;
    let encoding = Encoding::of(&head);
    let consumed = Arc::new(AtomicU64::new(0));
    let source = Counting {
        inner: io::Cursor::new(head).chain(source),
        consumed: Arc::clone(&consumed),
    };
    let reader: Box<dyn Read + Send> = match encoding {
        // A journal can only be read from its file: see `of_file`.
        Encoding::Plain | Encoding::Journal => Box::new(source),
        Encoding::Gzip => Box::new(MultiGzDecoder::new(source)),
        Encoding::Bzip2 => Box::new(MultiBzDecoder::new(source)),
        Encoding::Xz => Box::new(XzDecoder::new_multi_decoder(source)),
        Encoding::Zstd => Box::new(zstd::stream::read::Decoder::new(source)?),
    };
    Ok(Stream {
        reader,
        encoding,
        consumed,
    })
}

/// Returns the uncompressed bytes of a source that is no log.
///
/// # Errors
/// As when the first bytes cannot be read.
pub fn uncompressed(source: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    Ok(stream(source)?.reader)
}

/// Opens a stream on a file.
///
/// # Errors
/// As [`stream`].
pub(super) fn of_file(file: File, path: &Path) -> io::Result<Stream> {
    #[cfg(feature = "journal")]
    {
        use std::io::Seek;
        let mut file = file;
        let head = read_up_to(&mut file, MAGIC_BYTES)?;
        if Encoding::of(&head) == Encoding::Journal {
            return Ok(Stream {
                encoding: Encoding::Journal,
                ..Stream::plain(Box::new(super::journal::open(path)))
            });
        }
        file.rewind()?;
        stream(Box::new(file))
    }
    #[cfg(not(feature = "journal"))]
    {
        let _ = path;
        stream(Box::new(file))
    }
}

/// Opens a file, naming it in the error.
pub(super) fn file(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

/// Reads until `length` bytes or the end.
pub(super) fn read_up_to(source: &mut dyn Read, length: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(length);
    source.take(length as u64).read_to_end(&mut head)?;
    Ok(head)
}

struct Counting<R> {
    inner: R,
    consumed: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.consumed.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}
