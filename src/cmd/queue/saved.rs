//! A saved listing: a file or standard input -> its bytes, unpacked.
//!
//! The content of the file decides how it is unpacked (gzip, bzip2, xz, zstd). UTF-16, which PowerShell writes, becomes UTF-8.
//! Limits: UTF-16 is read as a whole.

use crate::model::time::Time;
use crate::source;
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use encoding_rs::{UTF_16BE, UTF_16LE};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

/// A listing that is open.
pub(super) struct Saved {
    /// The file, for people.
    pub(super) name: String,
    /// When the file was written last.
    pub(super) written: Option<Time>,
    pub(super) bytes: Box<dyn Read + Send>,
}

impl Saved {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut name = path.display().to_string();
        let told = || format!("cannot read {}", path.display());
        let mut written = None;
        let packed: Box<dyn Read + Send> = if path == Path::new("-") {
            "standard input".clone_into(&mut name);
            Box::new(std::io::stdin())
        } else {
            let file = File::open(path).with_context(told)?;
            let time = file.metadata().and_then(|data| data.modified()).ok();
            written = time.map(|time| Time::from(DateTime::<Utc>::from(time)));
            Box::new(file)
        };
        let plain = source::uncompressed(packed).with_context(told)?;
        let bytes = utf_8(plain).with_context(told)?;
        Ok(Self {
            name,
            written,
            bytes,
        })
    }
}

/// Returns the bytes in UTF-8 where they begin with the mark of UTF-16.
fn utf_8(mut bytes: Box<dyn Read + Send>) -> std::io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    bytes.by_ref().take(2).read_to_end(&mut head)?;
    let encoding = match head.as_slice() {
        [0xff, 0xfe] => UTF_16LE,
        [0xfe, 0xff] => UTF_16BE,
        _ => return Ok(Box::new(Cursor::new(head).chain(bytes))),
    };
    let mut rest = Vec::new();
    bytes.read_to_end(&mut rest)?;
    let (text, _) = encoding.decode_without_bom_handling(&rest);
    Ok(Box::new(Cursor::new(text.into_owned())))
}
