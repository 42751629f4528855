//! Journal: a file of the systemd journal as a stream of bytes in its export format, which the decoder reads.
//!
//! Promises: the stream of a file only grows with the file, so that fingerprint and offset name a place in it as in
//! a compressed log; fields are passed on as they are stored.
//!
//! Limits: a file, to its end; the running journal is followed in `live`. libsystemd's handle may not leave its
//! thread, so a thread of its own walks through the file.

pub mod live;
mod place;

pub use place::Place;
pub use systemd::Error;

use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::UNIX_EPOCH;
use systemd::journal::{Journal, OpenFilesOptions};

/// First bytes of a journal file.
pub(super) const MAGIC: &[u8] = b"LPKSHHRH";
/// Entries are handed over in pieces of about this many bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// The entries of a journal file in export format.
pub(super) struct Entries {
    pieces: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
}

/// Opens the file. What is wrong with it is told when it is read.
pub(super) fn open(path: &Path) -> Entries {
    let (send, pieces) = sync_channel(2);
    let path = path.to_owned();
    std::thread::spawn(move || walk(&path, &send));
    Entries {
        pieces,
        current: io::Cursor::default(),
    }
}

impl Read for Entries {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.current.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            match self.pieces.recv() {
                Ok(piece) => self.current = io::Cursor::new(piece?),
                Err(_) => return Ok(0),
            }
        }
    }
}

/// Sends all entries; a closed channel means that nobody reads any more.
fn walk(path: &Path, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    let mut piece = Vec::new();
    let walked = OpenFilesOptions::default()
        // A name that is no UTF-8 cannot be given through this crate.
        .open_files([path.to_string_lossy().into_owned()])
        .and_then(|mut journal| {
            journal.set_data_threshold(super::RECORD_BYTES)?;
            while journal.next()? > 0 {
                entry(&mut journal, &mut piece, |_| true)?;
                if piece.len() >= PIECE_BYTES
                    && pieces.send(Ok(std::mem::take(&mut piece))).is_err()
                {
                    return Ok(());
                }
            }
            Ok(())
        });
    let _ = pieces.send(Ok(piece));
    if let Err(error) = walked {
        let _ = pieces.send(Err(io::Error::other(error.to_string())));
    }
}

/// Appends the wanted fields of the current entry in export format.
fn entry(
    journal: &mut Journal,
    piece: &mut Vec<u8>,
    wants: fn(&[u8]) -> bool,
) -> systemd::Result<()> {
    let time = journal.timestamp()?.duration_since(UNIX_EPOCH);
    let micros = time.map(|t| t.as_micros()).unwrap_or_default();
    piece.extend_from_slice(format!("__REALTIME_TIMESTAMP={micros}\n").as_bytes());
    journal.restart_data();
    while let Some(field) = journal.enumerate_data()? {
        if !wants(field.name()) {
            continue;
        }
        // What is longer is cut later on; here it must not become a record that is too long to be read.
        let value = field.value().unwrap_or_default();
        let value = value.get(..super::RECORD_BYTES).unwrap_or(value);
        piece.extend_from_slice(field.name());
        if value.iter().all(|byte| *byte >= b' ' || *byte == b'\t') {
            piece.push(b'=');
        } else {
            piece.push(b'\n');
            piece.extend_from_slice(&(value.len() as u64).to_le_bytes());
        }
        piece.extend_from_slice(value);
        piece.push(b'\n');
    }
    piece.push(b'\n');
    Ok(())
}
