//! Export: the fields of `journalctl -o export`, text or binary.
//!
//! Promises: a field longer than `RECORD_BYTES` costs no memory.
//!
//! Limits: what does not look like a field ends the record; the line after it is read as any other.

use super::RECORD_BYTES;
use memchr::memchr;

/// Longest binary field that journald stores; a longer one is no field.
const FIELD_BYTES: u64 = 768 * 1024 * 1024;

/// What comes next in a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// A field, and the bytes it takes.
    Field(&'a [u8], &'a [u8], usize),
    /// A binary field too long to be read: its name, the bytes of its head, and those still to be passed over.
    Huge(&'a [u8], usize, u64),
    /// The end of the record, and the bytes it takes.
    End(usize),
    /// A field that is not complete yet.
    More,
}

/// Tells whether a line begins a record: metadata come first.
pub(super) fn begins(data: &[u8]) -> bool {
    ["__CURSOR=", "__REALTIME_TIMESTAMP=", "__SEQNUM="]
        .iter()
        .any(|name| data.starts_with(name.as_bytes()))
}

/// Reads what comes next; `data` is not empty.
pub(super) fn next(data: &[u8]) -> Next<'_> {
    let Some(end) = memchr(b'\n', data) else {
        return Next::More;
    };
    let (line, rest) = data.split_at_checked(end).unwrap_or_default();
    if line.is_empty() {
        return Next::End(1);
    }
    let name_end = memchr(b'=', line).unwrap_or(end);
    let (name, value) = line.split_at_checked(name_end).unwrap_or_default();
    if !is_name(name) {
        return Next::End(0);
    }
    if let Some((_, value)) = value.split_first() {
        return Next::Field(name, value, end + 1);
    }
    binary(name, rest.get(1..).unwrap_or_default(), end + 1)
}

/// Reads length and bytes behind `NAME\n`, which took `used` bytes.
fn binary<'a>(name: &'a [u8], rest: &'a [u8], used: usize) -> Next<'a> {
    let Some((length, rest)) = rest.split_first_chunk::<8>() else {
        return Next::More;
    };
    let length = u64::from_le_bytes(*length);
    if length > FIELD_BYTES {
        return Next::End(0);
    }
    match usize::try_from(length) {
        Ok(length) if length <= RECORD_BYTES => match rest.split_at_checked(length) {
            Some((value, [b'\n', ..])) => Next::Field(name, value, used + 8 + length + 1),
            Some((_, [])) | None => Next::More,
            Some(_) => Next::End(0),
        },
        _ => Next::Huge(name, used + 8, length + 1),
    }
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .iter()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
}
