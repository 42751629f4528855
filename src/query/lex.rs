//! Lex: query text -> tokens with spans.
//!
//! What a character means depends on the field before it: `>` and `..` compare only where values have an order, so that
//! `msgid:<a@b>` and `to:a..b@example.org` need no quotes.

use super::ast::Op;
use super::error::{Error, Kind, Span};
use super::fields::Lookup;
use super::limits::MAX_BYTES;
use super::{fields, local};
use crate::model::ip::Network;

/// A token and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// The kinds of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    Open,
    Close,
    Or,
    And,
    /// `NOT`, or `-` before a term.
    Not(&'static str),
    /// A field's name, its colon swallowed.
    Field(String),
    Comma,
    Dots,
    Compare(Op),
    Word(String),
    Quoted(String),
    Regex {
        pattern: String,
        fold: bool,
    },
}

/// Splits the text into tokens.
pub(super) fn lex(text: &str, fields: Lookup) -> Result<Vec<Token>, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::new(Kind::TooLong, 0..text.len()));
    }
    let mut lexer = Lexer {
        text,
        fields,
        at: 0,
        tokens: Vec::new(),
    };
    while lexer.skip_blanks() {
        lexer.piece()?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    fields: Lookup,
    at: usize,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Moves to the next character that is not blank; returns whether there is one.
    fn skip_blanks(&mut self) -> bool {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        !self.rest().is_empty()
    }

    /// Adds a token that covers the next `len` bytes.
    fn push(&mut self, kind: TokenKind, len: usize) {
        let span = self.at..self.at + len;
        self.at = span.end;
        self.tokens.push(Token { kind, span });
    }

    fn piece(&mut self) -> Result<(), Error> {
        let rest = self.rest();
        let after = rest.chars().nth(1);
        match rest.chars().next() {
            Some('(') => self.push(TokenKind::Open, 1),
            Some(')') => self.push(TokenKind::Close, 1),
            Some('-') if after.is_some_and(|c| !c.is_whitespace()) => {
                self.push(TokenKind::Not("-"), 1);
            }
            _ => return self.term(),
        }
        Ok(())
    }

    fn term(&mut self) -> Result<(), Error> {
        let word = word_of(self.rest());
        let start = self.at;
        let keyword = match word {
            "OR" => Some(TokenKind::Or),
            "AND" => Some(TokenKind::And),
            "NOT" => Some(TokenKind::Not("NOT")),
            _ => None,
        };
        if let Some(keyword) = keyword {
            self.push(keyword, word.len());
            return Ok(());
        }
        if let Some(keyword) = ["OR", "AND", "NOT"]
            .into_iter()
            .find(|k| k.eq_ignore_ascii_case(word))
        {
            let hint = format!(
                "write {keyword} in capitals, or \"{word}\" in quotes to search for the word"
            );
            return Err(Error::new(Kind::LowerCase(keyword), start..start + word.len()).hint(hint));
        }
        let mut mode = Mode::Bare;
        if let Some(name) = field_name(self.rest()) {
            // Said here, because what follows may be text that is no value at all, as in http://.
            let field = (self.fields)(name, &(start..start + name.len() + 1))?;
            self.push(TokenKind::Field(name.to_owned()), name.len() + 1);
            mode = if field.kind.is_ordered() {
                Mode::Ordered
            } else {
                Mode::Unordered
            };
        } else if let Some((field, value)) = missing_colon(word) {
            let hint =
                format!("write {field}:{value}, or put it in quotes to search replies for it");
            return Err(Error::new(Kind::MissingColon, start..start + word.len()).hint(hint));
        }
        self.values(mode)
    }

    /// Values up to the next blank or parenthesis; whether they make sense is the parser's business.
    fn values(&mut self, mode: Mode) -> Result<(), Error> {
        loop {
            let rest = self.rest();
            match rest.chars().next() {
                None | Some('(' | ')') => return Ok(()),
                Some(c) if c.is_whitespace() => return Ok(()),
                Some(',') => self.push(TokenKind::Comma, 1),
                Some('"') => match local::quoted(rest).filter(|_| mode != Mode::Ordered) {
                    Some(len) => self.word_from(mode, len)?,
                    None => self.quoted(mode)?,
                },
                Some('/') => match local::slashed(rest).filter(|_| mode != Mode::Ordered) {
                    Some(len) => self.push(
                        TokenKind::Word(rest.get(..len).unwrap_or_default().to_owned()),
                        len,
                    ),
                    None => self.regex()?,
                },
                Some(_) if mode == Mode::Ordered && rest.starts_with("..") => {
                    self.push(TokenKind::Dots, 2);
                }
                Some(_) => match operator(rest, mode) {
                    Some(op) if !self.follows_operator() => {
                        self.push(TokenKind::Compare(op), op.text().len());
                    }
                    _ => self.word(mode)?,
                },
            }
        }
    }

    /// A value has one operator; what looks like a second one is part of the word.
    fn follows_operator(&self) -> bool {
        matches!(self.tokens.last(), Some(Token { kind: TokenKind::Compare(_), span }) if span.end == self.at)
    }

    fn word(&mut self, mode: Mode) -> Result<(), Error> {
        let len = bracketed(self.rest()).filter(|_| mode != Mode::Ordered);
        self.word_from(mode, len.unwrap_or(0))
    }

    /// A word of which the first bytes are known to belong to it.
    fn word_from(&mut self, mode: Mode, known: usize) -> Result<(), Error> {
        let rest = self.rest();
        let mut len = known;
        let tail = rest.get(len..).unwrap_or_default();
        let end = |(i, c): (usize, char)| {
            let dots = mode == Mode::Ordered && tail.get(i..).is_some_and(|t| t.starts_with(".."));
            (dots || ends_word(c) || matches!(c, ',' | '"')).then_some(i)
        };
        len += tail.char_indices().find_map(end).unwrap_or(tail.len());
        let word = rest.get(..len).unwrap_or_default();
        if rest.get(len..).is_some_and(|r| r.starts_with('"')) {
            let at = self.at + len;
            return Err(Error::new(Kind::StrayQuote, at..at + 1)
                .hint("put the whole value in quotes, and a backslash before a quote in it"));
        }
        self.push(TokenKind::Word(word.to_owned()), len);
        Ok(())
    }

    fn quoted(&mut self, mode: Mode) -> Result<(), Error> {
        let rest = self.rest();
        let mut text = String::new();
        let mut chars = rest.char_indices().skip(1).peekable();
        while let Some((i, c)) = chars.next() {
            match (c, chars.peek()) {
                ('\\', Some(&(_, next @ ('"' | '\\')))) => {
                    text.push(next);
                    chars.next();
                }
                ('"', _) => {
                    self.push(TokenKind::Quoted(text), i + 1);
                    return self.expect_end(mode);
                }
                _ => text.push(c),
            }
        }
        Err(Error::new(Kind::OpenQuote, self.at..self.text.len())
            .hint("close it with \", or write \\\" for a quote inside quotes"))
    }

    fn regex(&mut self) -> Result<(), Error> {
        let rest = self.rest();
        let mut pattern = String::new();
        let mut chars = rest.char_indices().skip(1).peekable();
        while let Some((i, c)) = chars.next() {
            match (c, chars.peek()) {
                ('\\', Some(&(_, '/'))) => {
                    pattern.push('/');
                    chars.next();
                }
                ('\\', Some(&(_, next))) => {
                    pattern.extend([c, next]);
                    chars.next();
                }
                ('/', _) => {
                    let fold = rest.get(i + 1..).is_some_and(|r| r.starts_with('i'));
                    self.push(
                        TokenKind::Regex { pattern, fold },
                        i + 1 + usize::from(fold),
                    );
                    return self.expect_end(Mode::Unordered);
                }
                _ => pattern.push(c),
            }
        }
        Err(Error::new(Kind::OpenRegex, self.at..self.text.len())
            .hint("close it with /, or put the value in quotes if it is no regular expression"))
    }

    /// After a closing quote or slash a value is over.
    fn expect_end(&self, mode: Mode) -> Result<(), Error> {
        let rest = self.rest();
        match rest.chars().next() {
            None | Some(',') => Ok(()),
            Some(c) if ends_word(c) => Ok(()),
            Some(_) if mode == Mode::Ordered && rest.starts_with("..") => Ok(()),
            Some(c) => Err(
                Error::new(Kind::MissingBlank, self.at..self.at + c.len_utf8())
                    .hint("put a space here, or put the whole value in quotes"),
            ),
        }
    }
}

/// What stands before a value, as far as it changes how the value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Bare,
    Unordered,
    Ordered,
}

fn operator(rest: &str, mode: Mode) -> Option<Op> {
    let allowed = |op: &Op| match mode {
        Mode::Bare => false,
        Mode::Unordered => !op.is_ordering(),
        Mode::Ordered => true,
    };
    Op::ALL
        .into_iter()
        .filter(allowed)
        .find(|op| rest.starts_with(op.text()))
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')')
}

/// Returns what stands before the next blank or parenthesis.
fn word_of(text: &str) -> &str {
    text.split(ends_word).next().unwrap_or_default()
}

/// Returns the length of `<...>` at the start: a message id may hold commas, parentheses and quotes.
fn bracketed(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('<')?;
    let local = local::quoted(inside).unwrap_or(0);
    let rest = inside.get(local..)?;
    let end = rest.find(|c: char| c == '>' || c.is_whitespace())?;
    rest.get(end..)?.starts_with('>').then_some(local + end + 2)
}

/// Returns the name before the colon that the text begins with, if it has the form of a field's name.
pub(super) fn field_name(text: &str) -> Option<&str> {
    let (name, _) = text.split_once(':')?;
    let mut bytes = name.bytes();
    // `header.List-Id:` names a header.
    let is_header = fields::header(name).is_some();
    let fits = bytes.next()?.is_ascii_alphabetic()
        && bytes.all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-') || (is_header && b == b'.')
        });
    // fe80::1 has the form of a field with a value.
    let word = word_of(text).split(',').next().unwrap_or_default();
    (fits && Network::parse(word).is_none()).then_some(name)
}

/// Returns field and value of `status=sent` and `size>10M`, as logs and other languages write it.
fn missing_colon(word: &str) -> Option<(&str, String)> {
    let at = word.find(['=', '<', '>', '~', '!'])?;
    let (name, value) = word.split_at_checked(at)?;
    let field = fields::find(name)?;
    let value = value.strip_prefix("!=").map_or_else(
        || value.trim_start_matches('=').to_owned(),
        |value| format!("!={value}"),
    );
    let value = value.trim_end_matches(',').to_owned();
    (!value.is_empty()).then_some((field.name, value))
}
