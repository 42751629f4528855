//! Container: what Docker, Kubernetes and compose put before a line, and lines that they cut into pieces.
//!
//! Promises: pieces of one stream are joined in order; what is not complete is kept for the next run.
//!
//! Limits: a joined line is cut at `LINE_BYTES`; streams of several containers in one file are told apart only by
//! stdout and stderr, for the runtime writes one file per container.

use serde::{Deserialize, Serialize};

/// A container runtime's mark on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RuntimeMark<'a> {
    /// `stdout` or `stderr`.
    pub(super) stream: &'a str,
    /// More of the same line follows.
    pub(super) is_partial: bool,
    /// What the container wrote.
    pub(super) payload: &'a str,
}

/// Splits the mark of a CRI runtime off: `stdout F payload`.
pub(super) fn cri(rest: &str) -> Option<RuntimeMark<'_>> {
    if !rest.starts_with("std") {
        return None;
    }
    let (stream, after) = rest.split_at_checked(6)?;
    matches!(stream, "stdout" | "stderr").then_some(())?;
    let after = after.strip_prefix(' ')?;
    let (tags, payload) = after.split_once(' ').unwrap_or((after, ""));
    // Further tags may follow behind a colon.
    let is_partial = match tags.split(':').next()? {
        "P" => true,
        "F" => false,
        _ => return None,
    };
    Some(RuntimeMark {
        stream,
        is_partial,
        payload,
    })
}

/// Splits the prefix of `docker compose logs` and `docker service logs` off: `mail-1  | payload`, `mail.1.id@node    | payload`.
pub(super) fn compose(line: &str) -> Option<&str> {
    let (name, payload) = line.split_once("| ")?;
    let name = name.trim_end_matches(' ');
    let valid = (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@'));
    valid.then_some(payload)
}

/// Beginnings of lines that go on in the next record of the same stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pieces {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stdout: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stderr: String,
}

impl Pieces {
    /// Adds a piece; returns the whole line once it is complete and had more than this piece.
    pub(super) fn join(&mut self, piece: RuntimeMark<'_>, limit: usize) -> Joined {
        let held = if piece.stream == "stderr" {
            &mut self.stderr
        } else {
            &mut self.stdout
        };
        if !piece.is_partial && held.is_empty() {
            return Joined::Whole;
        }
        let room = limit.saturating_sub(held.len());
        let kept = piece.payload.floor_char_boundary(room);
        held.push_str(piece.payload.get(..kept).unwrap_or(""));
        if piece.is_partial {
            Joined::Held
        } else {
            Joined::Line(std::mem::take(held))
        }
    }
}

/// What became of a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// It is a line by itself.
    Whole,
    /// It waits for the rest.
    Held,
    /// It completes this line.
    Line(String),
}
