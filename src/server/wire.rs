//! Wire: one connection's bytes, in and out, with limits on length and patience.

use super::message::{self, Request, Start};
use bytes::{Buf, Bytes, BytesMut};
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// A client that reads nothing for so long is gone.
const PATIENCE: Duration = Duration::from_mins(1);
/// Time to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// Bytes that are collected before they are sent.
const FULL: usize = 64 << 10;

/// What a connection runs over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One connection.
pub(super) struct Wire<S> {
    stream: S,
    input: BytesMut,
    /// What is to be sent.
    pub out: BytesMut,
    /// Longest message that is read.
    longest: usize,
}

impl<S: Stream> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            out: BytesMut::new(),
            longest: message::LONGEST_START,
        }
    }

    /// Reads long messages from now on: the client is known.
    pub(super) fn trust(&mut self) {
        self.longest = message::LONGEST;
    }

    /// Gives the stream back, for TLS; none when the client sent more than it may by now.
    pub(super) fn into_stream(self) -> Option<S> {
        self.input.is_empty().then_some(self.stream)
    }

    /// Reads what a connection begins with.
    pub(super) async fn start(&mut self) -> io::Result<Start> {
        let length = loop {
            if let Some(bytes) = self.input.first_chunk::<4>() {
                break usize::try_from(u32::from_be_bytes(*bytes)).unwrap_or(usize::MAX);
            }
            self.more().await?;
        };
        if !(8..=message::LONGEST_START).contains(&length) {
            return Err(broken("invalid length of startup packet"));
        }
        let body = self.body(4, length - 4).await?;
        message::start(body).map_err(|error| broken(error.0))
    }

    /// Reads the next message; none at the end.
    pub(super) async fn request(&mut self) -> io::Result<Option<Request>> {
        let (letter, length) = loop {
            if let Some([letter, length @ ..]) = self.input.first_chunk::<5>() {
                break (
                    *letter,
                    usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX),
                );
            }
            match self.more().await {
                Err(error)
                    if error.kind() == io::ErrorKind::UnexpectedEof && self.input.is_empty() =>
                {
                    return Ok(None);
                }
                read => read?,
            }
        };
        if !(4..=self.longest).contains(&length) {
            return Err(broken("invalid message length"));
        }
        let body = self.body(5, length - 4).await?;
        message::request(letter, body)
            .map(Some)
            .map_err(|error| broken(error.0))
    }

    async fn body(&mut self, header: usize, length: usize) -> io::Result<Bytes> {
        while self.input.len() < header + length {
            self.more().await?;
        }
        self.input.advance(header);
        let body = self.input.split_to(length).freeze();
        // What a long message took is not kept until the next.
        if self.input.is_empty() && length > FULL {
            self.input = BytesMut::new();
        }
        Ok(body)
    }

    async fn more(&mut self) -> io::Result<()> {
        // Not reserved by the length that a client claims.
        self.input.reserve(8 << 10);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Waits for something; an error when the client hangs up meanwhile.
    pub(super) async fn while_open<T>(&mut self, work: impl Future<Output = T>) -> io::Result<T> {
        let work = pin!(work);
        if self.input.len() > FULL {
            return Ok(work.await);
        }
        let mut work = work;
        loop {
            self.input.reserve(8 << 10);
            let read = pin!(self.stream.read_buf(&mut self.input));
            match futures::future::select(&mut work, read).await {
                futures::future::Either::Left((done, _)) => return Ok(done),
                futures::future::Either::Right((Ok(0), _)) => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                futures::future::Either::Right((read, _)) => {
                    read?;
                }
            }
            if self.input.len() > FULL {
                return Ok(work.await);
            }
        }
    }

    /// Sends when enough is collected.
    pub(super) async fn drain(&mut self) -> io::Result<()> {
        if self.out.len() >= FULL {
            self.flush().await?;
        }
        Ok(())
    }

    /// Sends everything.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            let written = timeout(PATIENCE, self.stream.write(&self.out)).await;
            let count = written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.out.advance(count);
        }
        timeout(PATIENCE, self.stream.flush())
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Says goodbye.
    pub(super) async fn close(&mut self) {
        if self.flush().await.is_ok() {
            let _ = timeout(GOODBYE, self.stream.shutdown()).await;
        }
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
