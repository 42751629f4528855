//! The reading thread of an import: opens inputs one after the other, reads and decompresses ahead.

use super::feed::{Closed, Ending, Feed, Feeds, Opening, PlaceInStream};
use crate::source::{Error, Hints, Input, Options};

/// An input and the stored stream that it lies in, where it does not begin one.
#[derive(Debug)]
pub struct Planned {
    /// The input.
    pub input: Input,
    /// Where it lies.
    pub piece: Option<PlaceInStream>,
    /// It is read from its beginning although it was read before.
    pub is_again: bool,
}

/// Reads the inputs, each from where its stream stands.
///
/// # Errors
/// When the pump has ended: then there is nothing left to do.
pub fn read(plan: Vec<Planned>, options: &Options, feeds: &Feeds) -> Result<(), Closed> {
    for planned in plan {
        read_one(planned, options, feeds)?;
    }
    Ok(())
}

fn read_one(planned: Planned, options: &Options, feeds: &Feeds) -> Result<(), Closed> {
    let Planned {
        input,
        piece,
        is_again,
    } = planned;
    let mut feed = feeds.open(Opening {
        name: input.path().display().to_string(),
        key: input.key(),
        head: input.head().to_vec(),
        piece,
        size: input.size(),
        is_counted: false,
        is_named: !input.is_found(),
        is_again,
    })?;
    let is_new = feed.opened().offset == 0 && piece.is_none_or(|p| p.shift == 0);
    feed.begin(if is_new {
        input.hints(options)
    } else {
        Hints::default()
    })?;
    let ending = match read_chunks(&input, &mut feed)? {
        Err(error) => Ending::Failed(in_words(&error)),
        // What comes through a pipe will not grow.
        Ok(()) if input.is_stream() => Ending::Finish,
        Ok(()) => Ending::Pause,
    };
    feed.end(ending)
}

fn read_chunks(input: &Input, feed: &mut Feed) -> Result<Result<(), Error>, Closed> {
    let chunks = match input.read_from(feed.opened().offset) {
        Ok(chunks) => chunks,
        Err(error) => return Ok(Err(error)),
    };
    for chunk in chunks {
        match chunk {
            // What has come through a pipe must not wait for more.
            Ok(chunk) => feed.chunk(chunk, input.is_stream())?,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

fn in_words(error: &Error) -> String {
    error
        .hint()
        .map_or_else(|| error.to_string(), |hint| format!("{error}; {hint}"))
}
