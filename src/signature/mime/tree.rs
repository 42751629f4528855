//! The tree of a message: header fields, parts within parts, bodies as they were sent.
//!
//! Mail that breaks the rules is the rule in spam, and a digest depends on what is made of it: a missing or foreign
//! boundary, a header without end, a message within a report. This reads every case as Python's parser does; crates for
//! MIME read the broken ones otherwise, so that their digests would be others. Limit: below [`DEPTH`] levels a part is
//! not split further.

use super::parameter;

/// How deep parts are split: beyond it nobody writes mail, and the stack has an end.
const DEPTH: usize = 100;

/// What no line begins with.
const NO_LINE: &[u8] = b"\n\0";

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name, as written.
    pub(crate) name: String,
    /// Its value without the blanks before it; folded lines as they are.
    pub(crate) value: Vec<u8>,
}

/// What follows the header of a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    Bytes(Vec<u8>),
    Parts(Vec<Part>),
}

/// A message, or a part of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    fields: Vec<Field>,
    is_in_digest: bool,
    pub(super) body: Body,
}

impl Part {
    /// Returns the first field of this name (given in lower case); a byte that is not ASCII is U+FFFD.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let field = self
            .fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name));
        field.map(|field| text(&field.value))
    }

    /// Returns type and subtype in lower case.
    pub(super) fn media_type(&self) -> (String, String) {
        let (main, sub) = match (self.field("content-type"), self.is_in_digest) {
            (None, true) => ("message", "rfc822"),
            (None, false) => ("text", "plain"),
            (Some(value), _) => match parameter::media_type(&value) {
                Some(media_type) => return media_type,
                None => ("text", "plain"),
            },
        };
        (main.to_owned(), sub.to_owned())
    }

    /// Calls `see` for this part and all within it, in their order.
    pub(super) fn walk(&self, see: &mut impl FnMut(&Part)) {
        see(self);
        if let Body::Parts(parts) = &self.body {
            for part in parts {
                part.walk(see);
            }
        }
    }

    /// Takes the line end before a boundary off the body that it follows.
    fn without_last_line_end(&mut self) {
        if self.media_type().0 == "multipart" {
            return;
        }
        match &mut self.body {
            Body::Parts(parts) => {
                if let Some(last) = parts.last_mut() {
                    last.without_last_line_end();
                }
            }
            Body::Bytes(bytes) => {
                if bytes.last() == Some(&b'\n') {
                    bytes.pop();
                    if bytes.last() == Some(&b'\r') {
                        bytes.pop();
                    }
                } else if bytes.last() == Some(&b'\r') {
                    bytes.pop();
                }
            }
        }
    }
}

/// Returns bytes as text; those that are not ASCII are U+FFFD.
fn text(bytes: &[u8]) -> String {
    let of = |byte: &u8| {
        if byte.is_ascii() {
            char::from(*byte)
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    bytes.iter().map(of).collect()
}

/// Returns the lines of bytes with their ends: LF, CR LF or CR.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\n', b'\r', rest).map_or(rest.len(), |at| {
            let is_pair = rest.get(at..at + 2) == Some(b"\r\n");
            at + 1 + usize::from(is_pair)
        });
        let (line, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(line)
    })
}

/// What ends a part although lines follow.
enum End {
    Blank,
    Boundary(Vec<u8>),
}

impl End {
    fn is(&self, line: &[u8]) -> bool {
        match self {
            Self::Blank => matches!(line.first(), Some(b'\r' | b'\n')),
            Self::Boundary(separator) => boundary(line, separator).is_some(),
        }
    }
}

/// Returns whether a line is a boundary: `Some(true)` if it is the last one.
fn boundary(line: &[u8], separator: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(separator)?;
    let (rest, is_last) = match rest.strip_prefix(b"--") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let rest = rest.get(blanks..).unwrap_or_default();
    matches!(rest, b"" | b"\n" | b"\r" | b"\r\n").then_some(is_last)
}

/// Reads lines up to what ends the present part.
struct Reader<'b, I> {
    lines: I,
    /// Lines that were read and given back, the next one last; an empty one is an end that is read once.
    given_back: Vec<&'b [u8]>,
    ends: Vec<End>,
}

impl<'b, I: Iterator<Item = &'b [u8]>> Reader<'b, I> {
    /// Returns the next line; an empty one at the end.
    fn line(&mut self) -> &'b [u8] {
        let Some(line) = self.given_back.pop().or_else(|| self.lines.next()) else {
            return b"";
        };
        if self.ends.iter().any(|end| end.is(line)) {
            self.given_back.push(line);
            return b"";
        }
        line
    }

    fn rest(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            match self.line() {
                b"" => return body,
                line => body.extend_from_slice(line),
            }
        }
    }

    fn header(&mut self) -> Vec<Field> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            if !is_header(line) {
                if !matches!(line.first(), Some(b'\r' | b'\n')) {
                    self.given_back.push(line);
                }
                break;
            }
            lines.push(line);
        }
        let (fields, first_of_body) = fields(&lines);
        self.given_back.extend(first_of_body);
        fields
    }

    fn part(&mut self, is_in_digest: bool, depth: usize) -> Part {
        let mut part = Part {
            fields: self.header(),
            is_in_digest,
            body: Body::Parts(Vec::new()),
        };
        let (main, sub) = part.media_type();
        part.body = match &*main {
            _ if depth >= DEPTH => Body::Bytes(self.rest()),
            "message" if sub == "delivery-status" => Body::Parts(self.status(depth)),
            "message" => Body::Parts(vec![self.part(false, depth + 1)]),
            "multipart" => {
                let value = part.field("content-type").unwrap_or_default();
                match parameter::boundary(&value) {
                    None => Body::Bytes(self.rest()),
                    Some(boundary) => {
                        let separator = if boundary.is_ascii() {
                            format!("--{boundary}").into_bytes()
                        } else {
                            NO_LINE.to_vec()
                        };
                        self.parts(separator, sub == "digest", depth)
                    }
                }
            }
            _ => Body::Bytes(self.rest()),
        };
        part
    }

    /// Reads a report of delivery: blocks of fields, each a part.
    fn status(&mut self, depth: usize) -> Vec<Part> {
        let mut parts = Vec::new();
        loop {
            self.ends.push(End::Blank);
            parts.push(self.part(false, depth + 1));
            self.ends.pop();
            self.line();
            match self.line() {
                b"" => return parts,
                line => self.given_back.push(line),
            }
        }
    }

    fn parts(&mut self, separator: Vec<u8>, is_digest: bool, depth: usize) -> Body {
        let mut before = Vec::new();
        let mut parts = Vec::new();
        let mut separator = Some(separator);
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            let Some(own) = separator.take() else { break };
            match boundary(line, &own) {
                None => {
                    before.extend_from_slice(line);
                    separator = Some(own);
                    continue;
                }
                Some(true) => {
                    self.rest();
                    // Nothing but the last boundary: there are no parts.
                    return if parts.is_empty() {
                        Body::Bytes(before)
                    } else {
                        Body::Parts(parts)
                    };
                }
                Some(false) => {}
            }
            // One part begins after several boundaries without a line between them.
            loop {
                let line = self.line();
                if boundary(line, &own).is_none() {
                    self.given_back.push(line);
                    break;
                }
            }
            self.ends.push(End::Boundary(own));
            let mut part = self.part(is_digest, depth + 1);
            part.without_last_line_end();
            parts.push(part);
            if let Some(End::Boundary(own)) = self.ends.pop() {
                separator = Some(own);
            }
        }
        if parts.is_empty() {
            Body::Bytes(before)
        } else {
            Body::Parts(parts)
        }
    }
}

/// Returns whether a line may stand in a header: a field, the rest of one, or the line of an mbox.
fn is_header(line: &[u8]) -> bool {
    if line.starts_with(b"From ") || matches!(line.first(), Some(b' ' | b'\t')) {
        return true;
    }
    let name = line
        .iter()
        .position(|byte| !matches!(byte, 33..=57 | 59..=126));
    name.and_then(|end| line.get(end)) == Some(&b':')
}

/// Returns the fields of these lines, and a last line that belongs to the body.
fn fields<'b>(lines: &[&'b [u8]]) -> (Vec<Field>, Option<&'b [u8]>) {
    let mut fields: Vec<Field> = Vec::new();
    let mut is_open = false;
    for (place, line) in lines.iter().enumerate() {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some(field) = fields.last_mut().filter(|_| is_open) {
                field.value.extend_from_slice(line);
            }
            continue;
        }
        is_open = false;
        if line.starts_with(b"From ") {
            if place > 0 && place + 1 == lines.len() {
                close(&mut fields);
                return (fields, Some(line));
            }
            continue;
        }
        let mut pieces = line.splitn(2, |byte| *byte == b':');
        let name = pieces.next().unwrap_or_default();
        if name.is_empty() {
            continue;
        }
        let value = pieces.next().unwrap_or_default();
        let blanks = value
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        is_open = true;
        fields.push(Field {
            name: text(name),
            value: value.get(blanks..).unwrap_or_default().to_vec(),
        });
    }
    close(&mut fields);
    (fields, None)
}

/// Takes the line ends off the values.
fn close(fields: &mut [Field]) {
    for field in fields {
        while matches!(field.value.last(), Some(b'\r' | b'\n')) {
            field.value.pop();
        }
    }
}

/// Returns the tree of a message.
pub(super) fn parse(bytes: &[u8]) -> Part {
    reader(bytes).part(false, 0)
}

fn reader(bytes: &[u8]) -> Reader<'_, impl Iterator<Item = &[u8]>> {
    Reader {
        lines: lines(bytes),
        given_back: Vec::new(),
        ends: Vec::new(),
    }
}

/// Returns the header fields and the body of a message.
pub(crate) fn header(bytes: &[u8]) -> (Vec<Field>, Vec<u8>) {
    let mut reader = reader(bytes);
    let fields = reader.header();
    (fields, reader.rest())
}
