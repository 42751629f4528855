//! Parse: tokens -> tree, by recursive descent with a limited depth.

use super::ast::{Expr, Form, Literal, Name, Node, Term, Value};
use super::error::{Error, Kind, Span};
use super::fields::{self, Lookup};
use super::lex::{Token, TokenKind, lex};
use super::limits::MAX_DEPTH;

/// Reads a query text.
pub(super) fn parse(text: &str) -> Result<Expr, Error> {
    parse_with(text, fields::lookup)
}

/// Reads a query text over these fields.
pub(super) fn parse_with(text: &str, fields: Lookup) -> Result<Expr, Error> {
    let tokens = lex(text, fields)?;
    if tokens.is_empty() {
        return Err(Error::new(Kind::Empty, 0..text.len()).hint(
            "name an address, a domain, a queue id, a <message-id>, an IP address, or field:value",
        ));
    }
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        end: text.len(),
    };
    let expr = parser.or(0)?;
    match parser.peek() {
        Some(token) => {
            Err(Error::new(Kind::Unopened, token.span.clone())
                .hint("remove it, or put it in quotes"))
        }
        None => Ok(expr),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    end: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn peek_kind(&self) -> Option<&TokenKind> {
        self.peek().map(|token| &token.kind)
    }

    /// Takes the next token if it is of this kind.
    fn take(&mut self, kind: &TokenKind) -> Option<Span> {
        let span = self
            .peek()
            .filter(|token| token.kind == *kind)?
            .span
            .clone();
        self.at += 1;
        Some(span)
    }

    fn or(&mut self, depth: usize) -> Result<Expr, Error> {
        let mut list = vec![self.and(depth)?];
        while let Some(span) = self.take(&TokenKind::Or) {
            if self.at_end_of_group() {
                return Err(missing("OR", span));
            }
            list.push(self.and(depth)?);
        }
        Ok(group(list, Node::Or))
    }

    fn and(&mut self, depth: usize) -> Result<Expr, Error> {
        let mut list = Vec::new();
        loop {
            match self.peek() {
                Some(Token {
                    kind: TokenKind::And,
                    span,
                }) => {
                    let span = span.clone();
                    self.at += 1;
                    let beside = self.peek_kind();
                    if list.is_empty()
                        || self.at_end_of_group()
                        || matches!(beside, Some(TokenKind::And | TokenKind::Or))
                    {
                        return Err(missing("AND", span));
                    }
                }
                Some(Token {
                    kind: TokenKind::Or,
                    span,
                }) if list.is_empty() => return Err(missing("OR", span.clone())),
                Some(Token {
                    kind: TokenKind::Close,
                    span,
                }) if list.is_empty() => {
                    return Err(Error::new(Kind::Unopened, span.clone())
                        .hint("remove it, or put it in quotes"));
                }
                None
                | Some(Token {
                    kind: TokenKind::Or | TokenKind::Close,
                    ..
                }) => break,
                Some(_) => list.push(self.unary(depth)?),
            }
        }
        Ok(group(list, Node::And))
    }

    fn at_end_of_group(&self) -> bool {
        matches!(self.peek_kind(), None | Some(TokenKind::Close))
    }

    fn unary(&mut self, depth: usize) -> Result<Expr, Error> {
        let Some(token) = self.peek() else {
            return Err(Error::new(Kind::Empty, self.end..self.end));
        };
        let (kind, span) = (token.kind.clone(), token.span.clone());
        if depth >= MAX_DEPTH {
            return Err(Error::new(Kind::TooDeep, span));
        }
        match kind {
            TokenKind::Not(word) => {
                self.at += 1;
                let next = self.peek_kind();
                if self.at_end_of_group() || matches!(next, Some(TokenKind::Or | TokenKind::And)) {
                    return Err(missing(word, span));
                }
                let expr = self.unary(depth + 1)?;
                let span = span.start..expr.span.end;
                Ok(Expr {
                    node: Node::Not(Box::new(expr)),
                    span,
                })
            }
            TokenKind::Open => {
                self.at += 1;
                if let Some(close) = self.take(&TokenKind::Close) {
                    return Err(Error::new(Kind::EmptyParentheses, span.start..close.end));
                }
                if self.peek().is_none() {
                    return Err(unclosed(span));
                }
                let expr = self.or(depth + 1)?;
                let Some(close) = self.take(&TokenKind::Close) else {
                    return Err(unclosed(span));
                };
                Ok(Expr {
                    span: span.start..close.end,
                    ..expr
                })
            }
            _ => self.term(),
        }
    }

    fn term(&mut self) -> Result<Expr, Error> {
        let start = self.peek().map_or(self.end, |token| token.span.start);
        let field = match self.peek() {
            Some(Token {
                kind: TokenKind::Field(name),
                span,
            }) => {
                let name = Name {
                    text: name.clone(),
                    span: span.clone(),
                };
                self.at += 1;
                Some(name)
            }
            _ => None,
        };
        let mut values = Vec::new();
        let mut end = start;
        loop {
            let value = self.value(field.as_ref(), start)?;
            end = end.max(value.span.end);
            values.push(value);
            if self.take(&TokenKind::Comma).is_none() {
                break;
            }
        }
        // Only what stands without a blank between belongs to the term, e.g. size:1..2..3 does.
        if let Some(token) = self
            .peek()
            .filter(|token| token.span.start == end && !starts_term(&token.kind))
        {
            return Err(Error::new(Kind::MissingBlank, token.span.clone())
                .hint("put a space here, or put the value in quotes"));
        }
        Ok(Expr {
            node: Node::Term(Term { field, values }),
            span: start..end,
        })
    }

    fn value(&mut self, field: Option<&Name>, start: usize) -> Result<Value, Error> {
        let is_first = self.peek().is_some_and(|token| token.span.start == start);
        let from = if is_first { start } else { self.last_end() };
        let op = match self.peek_kind() {
            Some(TokenKind::Compare(op)) => Some(*op),
            _ => None,
        };
        self.at += usize::from(op.is_some());
        let low = self.literal(is_first && op.is_none());
        let form = match op {
            Some(op) => low.map(|literal| Form::Compare(op, literal)),
            None if self.take(&TokenKind::Dots).is_some() => {
                let high = self.literal(false);
                (low.is_some() || high.is_some()).then_some(Form::Range(low, high))
            }
            None => low.map(Form::Is),
        };
        let end = self.last_end();
        if let Some(form) = form {
            return Ok(Value {
                form,
                span: from..end,
            });
        }
        let place = start..end.max(start + 1).min(self.end);
        let is_group = self.peek_kind() == Some(&TokenKind::Open);
        Err(missing_value(field, place, is_group))
    }

    /// Where the last taken token ends.
    fn last_end(&self) -> usize {
        self.at
            .checked_sub(1)
            .and_then(|i| self.tokens.get(i))
            .map_or(0, |token| token.span.end)
    }

    /// Takes a literal that follows without a blank, or, if `first`, wherever it stands.
    fn literal(&mut self, first: bool) -> Option<Literal> {
        let follows = |token: &&Token| first || token.span.start == self.last_end();
        let literal = match &self.peek().filter(follows)?.kind {
            TokenKind::Word(text) => Literal::Word(text.clone()),
            TokenKind::Quoted(text) => Literal::Quoted(text.clone()),
            TokenKind::Regex { pattern, fold } => Literal::Regex {
                pattern: pattern.clone(),
                fold: *fold,
            },
            _ => return None,
        };
        self.at += 1;
        Some(literal)
    }
}

fn starts_term(kind: &TokenKind) -> bool {
    matches!(kind, TokenKind::Open | TokenKind::Close)
}

/// Returns the only one of the list, or all of them as one.
fn group(mut list: Vec<Expr>, node: fn(Vec<Expr>) -> Node) -> Expr {
    let start = list.first().map_or(0, |expr| expr.span.start);
    let end = list.last().map_or(0, |expr| expr.span.end);
    match list.pop() {
        Some(only) if list.is_empty() => only,
        more => {
            list.extend(more);
            Expr {
                node: node(list),
                span: start..end,
            }
        }
    }
}

fn unclosed(span: Span) -> Error {
    Error::new(Kind::Unclosed, span).hint("close it with ), or put it in quotes to search for it")
}

fn missing(word: &'static str, span: Span) -> Error {
    let place = if matches!(word, "NOT" | "-") {
        "before a term"
    } else {
        "between two terms"
    };
    Error::new(Kind::MissingTerm(word), span).hint(format!("write {word} {place}"))
}

fn missing_value(field: Option<&Name>, span: Span, is_group: bool) -> Error {
    match field {
        Some(name) if is_group => Error::new(Kind::MissingValue(name.text.clone()), span).hint(
            format!("write {0}:one,other for any of several, {0}:one {0}:other for all of them", name.text),
        ),
        Some(name) => Error::new(Kind::MissingValue(name.text.clone()), span).hint(format!(
            "write {}:value without a space; separate several values with commas, put a value with spaces in quotes",
            name.text
        )),
        None => Error::new(Kind::MissingTerm(","), span)
            .hint("write values with commas and without spaces: alice@example.org,bob@example.org; put text in quotes"),
    }
}
