//! Ahead: a pipe that can be looked into before it is read: what has come so far, or a megabyte of it.
//!
//! Another thread reads the pipe, so that looking ends when nothing comes for a moment: whoever pipes `tail -f` is not kept
//! waiting. A pipe that begins with its newest line is read to its end and turned round; one in which grep names several files
//! is read to its end and put in order.
//!
//! Limits: of a longer pipe only the beginning is known; one that is to be turned round has to fit in [`MOST_BYTES`].

use super::backward;
use super::blocks;
use super::open::Stream;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How much is looked at.
const HEAD_BYTES: usize = 1024 * 1024;
/// How much is turned round in memory at most.
pub(super) const MOST_BYTES: usize = 256 * 1024 * 1024;
/// A pipe that gives nothing for so long is not waited for any more.
const PATIENCE: Duration = Duration::from_millis(500);
/// Where grep searches large files, it may give nothing for so long.
const GREP_PATIENCE: Duration = Duration::from_secs(5);
/// What one read asks for.
const PIECE_BYTES: usize = 64 * 1024;

/// A pipe that is being read.
pub(super) struct Ahead {
    head: Vec<u8>,
    given: usize,
    pieces: Receiver<io::Result<Vec<u8>>>,
    failure: Option<io::Error>,
    has_ended: bool,
}

impl Ahead {
    /// Looks into a stream.
    pub(super) fn of(mut stream: Stream) -> Self {
        let (sender, pieces) = sync_channel(4);
        thread::spawn(move || {
            loop {
                let mut piece = vec![0; PIECE_BYTES];
                let read = stream.reader.read(&mut piece);
                let is_last = match &read {
                    Ok(length) => *length == 0,
                    Err(error) => error.kind() != io::ErrorKind::Interrupted,
                };
                let piece = read.map(|length| {
                    piece.truncate(length);
                    piece
                });
                if sender.send(piece).is_err() || is_last {
                    break;
                }
            }
        });
        let mut ahead = Self {
            head: Vec::new(),
            given: 0,
            pieces,
            failure: None,
            has_ended: false,
        };
        ahead.gather(HEAD_BYTES, Some(PATIENCE));
        ahead
    }

    /// Returns what has come.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Tells whether that is all.
    pub(super) fn is_whole(&self) -> bool {
        self.has_ended
    }

    /// Turns the whole pipe round; false when it does not fit.
    pub(super) fn turn(&mut self) -> bool {
        self.gather(MOST_BYTES, None);
        if !self.has_ended {
            return false;
        }
        let mut turned = Vec::new();
        backward::turn(&self.head, &mut turned);
        self.head = turned;
        true
    }

    /// Puts the files that the pipe is made of in the order of time, if it ends within its patience and fits.
    pub(super) fn arrange(&mut self) {
        self.gather(MOST_BYTES, Some(GREP_PATIENCE));
        if self.has_ended
            && let Ok(Some(parts)) = blocks::find(self.head.as_slice())
        {
            self.head = blocks::arranged(&self.head, &parts);
        }
    }

    /// Adds what comes to the head, until it has `most` bytes, or for as long as it comes.
    fn gather(&mut self, most: usize, patience: Option<Duration>) {
        while !self.has_ended && self.head.len() < most {
            let piece = match patience.filter(|_| !self.head.is_empty()) {
                Some(patience) => self.pieces.recv_timeout(patience),
                None => self
                    .pieces
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
            };
            match piece {
                Ok(Ok(piece)) if piece.is_empty() => self.has_ended = true,
                Ok(Ok(piece)) => self.head.extend_from_slice(&piece),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => {
                    self.failure = Some(error);
                    self.has_ended = true;
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => self.has_ended = true,
            }
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.head.len() {
            self.given = 0;
            self.head.clear();
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            self.gather(1, None);
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
        }
        let rest = self.head.get(self.given..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(target), Some(source)) = (buffer.get_mut(..length), rest.get(..length)) {
            target.copy_from_slice(source);
        }
        self.given += length;
        Ok(length)
    }
}
