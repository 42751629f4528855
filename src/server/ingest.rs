//! Ingest: takes log that another `maillog ingest` reads (`ingest/handover.rs`).

use super::failure::Failure;
use super::message::{self, Request};
use super::request_error::{RequestError, RequestResult};
use super::wire::{Stream, Wire};
use crate::ingest::feed::{Closed, Ending, Feed, Feeds, Opening, PlaceInStream};
use crate::ingest::handover::{Ended, Wanted};
use crate::model::table::{Cell, Table};
use crate::source::{Chunk, Hints};
use bytes::{Buf, BytesMut};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// Bytes in front of each piece: its place and its length.
const HEADER: usize = 12;

/// The feed that a session has open.
#[derive(Default)]
pub(super) struct Intake {
    feed: Option<OpenFeed>,
}

/// A feed that ends in a thread of its own when it is dropped: that may have to wait for the database.
struct OpenFeed(Option<Feed>);

impl OpenFeed {
    fn into_feed(mut self) -> Option<Feed> {
        self.0.take()
    }
}

impl Drop for OpenFeed {
    fn drop(&mut self) {
        if let Some(feed) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn_blocking(move || drop(feed));
        }
    }
}

impl Intake {
    /// Opens a feed; answers from where to read.
    pub(super) async fn open<S: Stream>(
        &mut self,
        wire: &mut Wire<S>,
        feeds: Option<Feeds>,
        argument: &str,
    ) -> Result<Table, RequestError> {
        let feeds = feeds.ok_or_else(|| Failure::new("0A000", "this service takes no log"))?;
        let wanted: Wanted = serde_json::from_str(argument).map_err(|error| strange(&error))?;
        let piece = wanted
            .piece
            .map(|(source_id, shift)| PlaceInStream { source_id, shift });
        let first_year = wanted.first_year;
        let opening = Opening {
            name: wanted.name,
            key: wanted.key,
            head: wanted.head,
            piece,
            size: wanted.size,
            is_counted: true,
            is_named: wanted.is_named,
            is_again: wanted.is_again,
        };
        let opened = spawn_blocking(move || {
            let feed = feeds.open(opening)?;
            let is_new = feed.opened().offset == 0 && piece.is_none_or(|piece| piece.shift == 0);
            let hints = Hints { first_year };
            feed.begin(if is_new { hints } else { Hints::default() })?;
            Ok((feed.opened().clone(), OpenFeed(Some(feed))))
        });
        let feed = wire
            .while_open(opened)
            .await?
            .map_err(|error| stopped(&error))?;
        let (opened, feed) = feed.map_err(gone)?;
        if piece.is_some() && !opened.is_known {
            let failure = Failure::new(
                "40001",
                "the stored position of this log has changed meanwhile",
            );
            return Err(failure.hint("run it again").into());
        }
        self.feed = Some(feed);
        Ok(one(opened.offset.to_string()))
    }

    /// Ends the feed; answers when all of it is stored.
    pub(super) async fn end<S: Stream>(
        &mut self,
        wire: &mut Wire<S>,
        argument: &str,
    ) -> Result<Table, RequestError> {
        let ended: Ended = serde_json::from_str(argument).map_err(|error| strange(&error))?;
        let feed = self.feed.take().and_then(OpenFeed::into_feed);
        let feed = feed.ok_or_else(no_feed)?;
        let ending = match ended.failure {
            Some(failure) => Ending::Failed(failure),
            None if ended.is_finished => Ending::Finish,
            None => Ending::Pause,
        };
        let settled = spawn_blocking(move || feed.settle(ending));
        let settled = wire
            .while_open(settled)
            .await?
            .map_err(|error| stopped(&error))?;
        let summary = settled.map_err(gone)?;
        Ok(one(serde_json::to_string(&summary).unwrap_or_default()))
    }

    /// Takes log from the client.
    pub(super) async fn copy_in<S: Stream>(&mut self, wire: &mut Wire<S>) -> RequestResult {
        let mut feed = self.feed.take().ok_or_else(no_feed)?;
        message::copy(&mut wire.out, b'G', 1);
        wire.flush().await?;
        let mut input = BytesMut::new();
        loop {
            match wire.request().await? {
                Some(Request::CopyData(data)) => {
                    input.extend_from_slice(&data);
                    if input.len() > message::LONGEST {
                        return Err(Failure::new("54000", "a part of the log is too long").into());
                    }
                    while let Some(chunk) = piece(&mut input) {
                        let passed = spawn_blocking(move || {
                            let open = feed.0.as_mut().ok_or(Closed);
                            let passed = open.and_then(|open| open.chunk(chunk, false));
                            (feed, passed)
                        });
                        let passed = passed.await.map_err(|error| stopped(&error))?;
                        feed = passed.0;
                        passed.1.map_err(gone)?;
                    }
                }
                Some(Request::Flush | Request::Sync) => {}
                Some(Request::CopyDone) => break,
                Some(Request::CopyFail(reason)) => {
                    let message = format!("COPY from stdin failed: {reason}");
                    return Err(Failure::new("57014", message).into());
                }
                None => return Err(RequestError::Gone(std::io::ErrorKind::UnexpectedEof.into())),
                Some(_) => {
                    let failure = Failure::new("08P01", "unexpected message during COPY");
                    return Err(failure.fatal().into());
                }
            }
        }
        if !input.is_empty() {
            return Err(Failure::new("22P04", "the last part of the log is incomplete").into());
        }
        self.feed = Some(feed);
        message::complete(&mut wire.out, "COPY 0");
        Ok(())
    }
}

/// Takes a whole piece off the input.
fn piece(input: &mut BytesMut) -> Option<Chunk> {
    let header = input.first_chunk::<HEADER>()?;
    let mut header: &[u8] = header;
    let offset = header.get_u64();
    let length = usize::try_from(header.get_u32()).ok()?;
    if input.len() < HEADER + length {
        return None;
    }
    input.advance(HEADER);
    Some(Chunk {
        data: input.split_to(length).to_vec(),
        offset,
        read: 0,
        is_last: false,
    })
}

fn no_feed() -> Failure {
    Failure::new("55000", "no log was announced").hint("`maillog ingest FILE` does it")
}

fn strange(error: &serde_json::Error) -> Failure {
    Failure::new("22023", format!("cannot understand the argument: {error}"))
}

fn gone(closed: Closed) -> Failure {
    Failure::new("57P01", closed.to_string())
}

/// Says that a thread stopped.
pub(super) fn stopped(error: &tokio::task::JoinError) -> Failure {
    Failure::new("XX000", error.to_string())
}

/// Returns a table of one text.
fn one(text: String) -> Table {
    Table {
        columns: vec!["result".to_owned()],
        rows: vec![vec![Cell::Text(text)]],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::feed::{Fed, Opened};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn a_client_that_hangs_up_keeps_nobody_waiting_for_the_database() {
        let (feeds, fed) = Feeds::channel();
        let (go, gone) = channel();
        let pump = std::thread::spawn(move || {
            let Ok(Fed::Open(_, _, reply)) = fed.recv() else {
                panic!("no feed");
            };
            reply.send(Opened::default()).unwrap();
            // A database that takes its time.
            gone.recv().unwrap();
            let left = std::iter::from_fn(|| fed.recv_timeout(Duration::from_mins(1)).ok());
            let is_end = |fed: &Fed| matches!(fed, Fed::End(_, Ending::Pause, None));
            left.into_iter().any(|fed| is_end(&fed))
        });
        let feed = feeds.open(Opening::journal("journal", "")).unwrap();
        // As many as fit.
        for _ in 0..3 {
            feed.begin(Hints::default()).unwrap();
        }
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        runtime.block_on(async { drop(OpenFeed(Some(feed))) });
        // Only now: had it been waited for, this were never reached.
        go.send(()).unwrap();
        assert!(pump.join().unwrap());
    }
}
