//! Messages of the PostgreSQL protocol 3.0: bytes -> what a client wants, and what it is told -> bytes.
//!
//! Reading is total: a message that is cut off or makes no sense is an error, never a panic.

use bytes::{BufMut, Bytes, BytesMut};
use std::collections::HashMap;

/// Longest message of a client; statements are text of people, and parts of log come in pieces.
pub(super) const LONGEST: usize = 16 << 20;
/// Longest first message: PostgreSQL's own limit.
pub(super) const LONGEST_START: usize = 10_000;

/// What a connection begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    Tls,
    Gss,
    Cancel {
        pid: i32,
        secret: i32,
    },
    Session {
        minor: u16,
        options: HashMap<String, String>,
    },
}

/// What a client asks later.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Query(String),
    Parse {
        name: String,
        sql: String,
        types: Vec<u32>,
    },
    Bind(Bind),
    Describe {
        of: Of,
        name: String,
    },
    Execute {
        portal: String,
        rows: usize,
    },
    Close {
        of: Of,
        name: String,
    },
    Flush,
    Sync,
    Terminate,
    Password(Bytes),
    CopyData(Bytes),
    CopyDone,
    CopyFail(String),
}

/// A prepared statement, or a portal: the statement with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Statement,
    Portal,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bind {
    pub portal: String,
    pub statement: String,
    pub formats: Formats,
    pub values: Vec<Option<Bytes>>,
    pub results: Formats,
}

/// Text or binary, for each value, for all, or (none given) text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Formats(Vec<u16>);

impl Formats {
    pub(super) fn is_binary(&self, index: usize) -> bool {
        let code = match self.0.as_slice() {
            [all] => Some(all),
            each => each.get(index),
        };
        code == Some(&1)
    }
}

/// What is wrong with a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken(pub &'static str);

const CUT: Broken = Broken("message ends too early");

/// The rest of a message.
struct Body(Bytes);

impl Body {
    fn take(&mut self, length: usize) -> Result<Bytes, Broken> {
        if length > self.0.len() {
            return Err(CUT);
        }
        Ok(self.0.split_to(length))
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let bytes = self.take(N)?;
        <[u8; N]>::try_from(bytes.as_ref()).map_err(|_| CUT)
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        self.number().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, Broken> {
        self.number().map(u16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, Broken> {
        self.number().map(i32::from_be_bytes)
    }

    fn text(&mut self) -> Result<String, Broken> {
        let end = memchr::memchr(0, &self.0).ok_or(CUT)?;
        let bytes = self.take(end)?;
        self.byte()?;
        let text = std::str::from_utf8(&bytes);
        text.map(str::to_owned)
            .map_err(|_| Broken("text is not UTF-8"))
    }

    fn formats(&mut self) -> Result<Formats, Broken> {
        let count = self.u16()?;
        let formats = (0..count).map(|_| match self.u16()? {
            format @ (0 | 1) => Ok(format),
            _ => Err(Broken("unknown format code")),
        });
        formats.collect::<Result<_, _>>().map(Formats)
    }
}

/// Reads what a connection begins with.
pub(super) fn start(body: Bytes) -> Result<Start, Broken> {
    let mut body = Body(body);
    match (body.u16()?, body.u16()?) {
        (1234, 5679) => Ok(Start::Tls),
        (1234, 5680) => Ok(Start::Gss),
        (1234, 5678) => Ok(Start::Cancel {
            pid: body.i32()?,
            secret: body.i32()?,
        }),
        (3, minor) => {
            let mut options = HashMap::new();
            loop {
                let name = body.text()?;
                if name.is_empty() {
                    return Ok(Start::Session { minor, options });
                }
                options.insert(name, body.text()?);
            }
        }
        _ => Err(Broken("unsupported frontend protocol")),
    }
}

/// Reads a message by its letter.
pub(super) fn request(letter: u8, body: Bytes) -> Result<Request, Broken> {
    let mut body = Body(body);
    Ok(match letter {
        b'Q' => Request::Query(body.text()?),
        b'P' => {
            let (name, sql) = (body.text()?, body.text()?);
            let count = body.u16()?;
            let types = (0..count).map(|_| body.number().map(u32::from_be_bytes));
            Request::Parse {
                name,
                sql,
                types: types.collect::<Result<_, _>>()?,
            }
        }
        b'B' => Request::Bind(bind(&mut body)?),
        b'D' => Request::Describe {
            of: of(body.byte()?)?,
            name: body.text()?,
        },
        b'C' => Request::Close {
            of: of(body.byte()?)?,
            name: body.text()?,
        },
        b'E' => {
            let portal = body.text()?;
            // Zero, and what is below, is no limit.
            Request::Execute {
                portal,
                rows: usize::try_from(body.i32()?).unwrap_or(0),
            }
        }
        b'H' => Request::Flush,
        b'S' => Request::Sync,
        b'X' => Request::Terminate,
        b'p' => Request::Password(body.0),
        b'd' => Request::CopyData(body.0),
        b'c' => Request::CopyDone,
        b'f' => Request::CopyFail(body.text()?),
        _ => return Err(Broken("unknown type of message")),
    })
}

fn bind(body: &mut Body) -> Result<Bind, Broken> {
    let (portal, statement) = (body.text()?, body.text()?);
    let formats = body.formats()?;
    let count = body.u16()?;
    let values = (0..count).map(|_| match usize::try_from(body.i32()?) {
        Ok(length) => body.take(length).map(Some),
        Err(_) => Ok(None),
    });
    let values = values.collect::<Result<_, _>>()?;
    Ok(Bind {
        portal,
        statement,
        formats,
        values,
        results: body.formats()?,
    })
}

fn of(letter: u8) -> Result<Of, Broken> {
    match letter {
        b'S' => Ok(Of::Statement),
        b'P' => Ok(Of::Portal),
        _ => Err(Broken("neither a statement nor a portal")),
    }
}

/// State of the transaction that a client believes to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transaction {
    None,
    Open,
    Failed,
}

/// A column as clients are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: String,
    pub oid: u32,
    pub size: i16,
    pub modifier: i32,
}

/// Puts one message: its letter, its length, its body.
pub(super) fn put(out: &mut BytesMut, letter: u8, body: impl FnOnce(&mut BytesMut)) {
    out.put_u8(letter);
    let at = out.len();
    out.put_u32(0);
    body(out);
    let length = u32::try_from(out.len() - at).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

fn put_text(out: &mut BytesMut, text: &str) {
    // A NUL would end the text for the client.
    out.extend(text.bytes().filter(|byte| *byte != 0));
    out.put_u8(0);
}

fn count(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

pub(super) fn authentication(out: &mut BytesMut, code: i32, data: &[u8]) {
    put(out, b'R', |out| {
        out.put_i32(code);
        out.put_slice(data);
    });
}

pub(super) fn parameter(out: &mut BytesMut, name: &str, value: &str) {
    put(out, b'S', |out| {
        put_text(out, name);
        put_text(out, value);
    });
}

pub(super) fn key(out: &mut BytesMut, pid: i32, secret: i32) {
    put(out, b'K', |out| {
        out.put_i32(pid);
        out.put_i32(secret);
    });
}

/// Tells a client that wants a newer protocol that 3.0 is spoken here.
pub(super) fn negotiate(out: &mut BytesMut, unknown: &[&str]) {
    put(out, b'v', |out| {
        out.put_i32(0);
        out.put_i32(i32::from(count(unknown.len())));
        for name in unknown {
            put_text(out, name);
        }
    });
}

pub(super) fn ready(out: &mut BytesMut, transaction: Transaction) {
    let letter = match transaction {
        Transaction::None => b'I',
        Transaction::Open => b'T',
        Transaction::Failed => b'E',
    };
    put(out, b'Z', |out| out.put_u8(letter));
}

/// One of the messages without a body: parse complete and the like.
pub(super) fn bare(out: &mut BytesMut, letter: u8) {
    put(out, letter, |_| {});
}

pub(super) fn complete(out: &mut BytesMut, tag: &str) {
    put(out, b'C', |out| put_text(out, tag));
}

pub(super) fn parameters(out: &mut BytesMut, types: &[u32]) {
    put(out, b't', |out| {
        out.put_u16(count(types.len()));
        for oid in types {
            out.put_u32(*oid);
        }
    });
}

pub(super) fn fields(out: &mut BytesMut, fields: &[Field], formats: &Formats) {
    put(out, b'T', |out| {
        out.put_u16(count(fields.len()));
        for (index, field) in fields.iter().enumerate() {
            put_text(out, &field.name);
            out.put_u32(0);
            out.put_u16(0);
            out.put_u32(field.oid);
            out.put_i16(field.size);
            out.put_i32(field.modifier);
            out.put_u16(formats.is_binary(index).into());
        }
    });
}

/// Tells that a copy begins: `G` in, `H` out.
pub(super) fn copy(out: &mut BytesMut, letter: u8, columns: usize) {
    put(out, letter, |out| {
        out.put_u8(0);
        out.put_u16(count(columns));
        for _ in 0..columns {
            out.put_u16(0);
        }
    });
}

/// An error (`E`) or notice (`N`): fields by letter.
pub(super) fn report(out: &mut BytesMut, letter: u8, fields: &[(u8, &str)]) {
    put(out, letter, |out| {
        for (field, text) in fields.iter().filter(|(_, text)| !text.is_empty()) {
            out.put_u8(*field);
            put_text(out, text);
        }
        out.put_u8(0);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bind_is_read() {
        let body = b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\0";
        let Ok(Request::Bind(bind)) = request(b'B', Bytes::from_static(body)) else {
            panic!("no bind");
        };
        assert_eq!(bind.values, [Some(Bytes::from_static(b"ab")), None]);
        assert!(bind.formats.is_binary(7) && !bind.results.is_binary(0));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(letter in any::<u8>(), body in any::<Vec<u8>>()) {
            let _ = request(letter, Bytes::from(body.clone()));
            let _ = start(Bytes::from(body));
        }

        #[test]
        fn a_message_that_is_cut_off_is_broken(cut in 0_usize..22) {
            let body = b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\0";
            let cut = Bytes::copy_from_slice(&body[..cut]);
            prop_assert!(request(b'B', cut).is_err());
        }
    }
}
