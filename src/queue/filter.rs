//! Filter: a query text -> what must hold of a mail in the queue, evaluated over the mails in memory.
//!
//! The language, the reading of bare words and the comparison of values are those of `query`; the fields are in `fields`. A mail fits
//! `to:`, `reason:` and `cause:` when any of its recipients does, for a mail is acted upon as a whole.

use super::fields::{self, lookup};
use super::mail::{Mail, Status};
use super::matcher::{Matcher, Number};
use crate::cause::{Causes, Evidence};
use crate::model::ip;
use crate::model::time::Time;
use crate::model::zone::Zone;
use crate::query::ast::{Expr, Form, Literal, Node, Op, Term, Value};
use crate::query::error::{Error, Kind};
use crate::query::field::Field;
use crate::query::fields as language;
use crate::query::{self, Options, term};
use hashbrown::HashMap;
use std::net::IpAddr;

/// What must hold of a mail.
#[derive(Debug, Clone)]
pub enum Filter {
    /// Each of them.
    And(Vec<Filter>),
    /// One of them.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// It is in this queue.
    Status(Status),
    /// It is forced to expire.
    ForcedExpire,
    /// A value of the subject passes any of the tests.
    Any(Subject, Vec<Matcher>),
}

/// What of a mail is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Addresses of its recipients.
    Recipient,
    /// Its sender.
    Sender,
    /// Sender and recipients.
    Address,
    /// Errors of its recipients.
    Reason,
    /// Causes of these.
    Cause,
    /// Bytes.
    Size,
    /// Number of its recipients.
    Nrcpt,
    /// Seconds since it arrived.
    Age,
    /// Attempts so far.
    Attempts,
    /// Its id.
    QueueId,
    /// When it arrived.
    Arrival,
    /// Who handed it in.
    Client,
    /// The log-in name of the client.
    User,
    /// Its subject, decoded.
    Title,
    /// Values of the header of this name.
    Header(String),
    /// Nothing that a mail in the queue has.
    Nothing,
}

/// What a filter needs to know beside the mail.
#[derive(Debug)]
pub struct Present {
    /// The present.
    pub now: Time,
    /// The user's zone.
    pub zone: Zone,
    /// Finds causes.
    pub causes: Causes,
    /// Causes of errors as they are written: a queue has few different ones.
    known: HashMap<Box<str>, &'static str>,
}

/// Errors whose cause is remembered; then all are forgotten.
const MOST_KNOWN: usize = 16_384;

impl Present {
    /// Returns the present at that time in that zone.
    #[must_use]
    pub fn new(now: Time, zone: Zone) -> Self {
        Self {
            now,
            zone,
            causes: Causes::default(),
            known: HashMap::new(),
        }
    }
}

/// A filter, and how its words were read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What must hold.
    pub filter: Filter,
    /// How bare words were read, to be said on stderr.
    pub notes: Vec<String>,
}

/// Words without a field that name a queue.
const BARE_STATUS: [&str; 9] = [
    "active",
    "deferred",
    "hold",
    "held",
    "incoming",
    "maildrop",
    "corrupt",
    "queued",
    "forced_expire",
];

/// Reads the arguments of a search; none at all is every mail.
///
/// # Errors
/// When the text is no query, or a value not of its field's kind: with the place in the text and a hint.
pub fn read<S: AsRef<str>>(terms: &[S], options: &Options) -> Result<Reading, Error> {
    let text = joined(terms);
    if text.trim().is_empty() {
        return Ok(Reading {
            filter: Filter::And(Vec::new()),
            notes: Vec::new(),
        });
    }
    let tree = query::parse_text_with(&text, lookup)?;
    let mut reader = Reader {
        options,
        notes: Vec::new(),
    };
    let filter = reader.filter(&tree).map_err(|error| error.within(&text))?;
    Ok(Reading {
        filter,
        notes: reader.notes,
    })
}

/// Joins arguments to a query text, as `find` does it: with its own fields by itself, with those that only the queue has here.
fn joined<S: AsRef<str>>(terms: &[S]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    for term in terms.iter().map(AsRef::as_ref) {
        match own(term) {
            None => others.push(term),
            Some(own) => {
                parts.push(query::args::join(&std::mem::take(&mut others)));
                parts.push(own);
            }
        }
    }
    parts.push(query::args::join(&others));
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// Returns the text of an argument that begins with a field which only the queue has: the shell took the quotes of a value with blanks.
fn own(arg: &str) -> Option<String> {
    let arg = arg.trim();
    let (sign, term) = arg.strip_prefix('-').map_or(("", arg), |term| ("-", term));
    let (name, value) = term.split_once(':')?;
    if language::find(name).is_some() || fields::find(name).is_none() {
        return None;
    }
    let is_more = |word: &str| {
        let name = word.trim_start_matches(['(', '-']).split_once(':');
        matches!(word, "OR" | "AND" | "NOT")
            || name.is_some_and(|(name, _)| fields::find(name).is_some())
    };
    let is_one = value.contains(char::is_whitespace)
        && !value.contains('"')
        && !value.starts_with('/')
        && !value.split_whitespace().skip(1).any(is_more);
    if !is_one {
        return Some(arg.to_owned());
    }
    let operators = Op::ALL.into_iter().map(Op::text);
    let mut found = operators.filter(|operator| value.starts_with(operator));
    let operator = found.next().unwrap_or_default();
    let value = value.strip_prefix(operator).unwrap_or(value);
    Some(format!(
        "{sign}{name}:{operator}{}",
        query::ast::quoted(value)
    ))
}

struct Reader<'a> {
    options: &'a Options,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn filter(&mut self, expr: &Expr) -> Result<Filter, Error> {
        let list = |this: &mut Self, list: &[Expr]| -> Result<Vec<Filter>, Error> {
            list.iter().map(|expr| this.filter(expr)).collect()
        };
        match &expr.node {
            Node::And(all) => Ok(Filter::And(list(self, all)?)),
            Node::Or(any) => Ok(Filter::Or(list(self, any)?)),
            Node::Not(inner) => Ok(Filter::Not(Box::new(self.filter(inner)?))),
            Node::Term(term) => self.term(term),
        }
    }

    fn term(&mut self, term: &Term) -> Result<Filter, Error> {
        let mut any = Vec::new();
        for value in &term.values {
            match &term.field {
                Some(name) => {
                    let field = lookup(&name.text, &name.span)?;
                    any.push(self.value(field, &name.text, value)?);
                }
                None => any.push(self.bare(value)?),
            }
        }
        Ok(one_of(any))
    }

    fn bare(&mut self, value: &Value) -> Result<Filter, Error> {
        let Form::Is(literal) = &value.form else {
            return Err(Error {
                kind: Kind::MissingColon,
                span: value.span.clone(),
                text: String::new(),
                hint: None,
            });
        };
        let is_queue = |word: &str| BARE_STATUS.iter().any(|s| s.eq_ignore_ascii_case(word));
        let (names, what): (&[&str], &str) = match (literal, term::reading(literal)) {
            (Literal::Word(word), _) if is_queue(word) => (&["status"], "status"),
            // What becomes of mail later is a word of its error here, and so is the host that it waits for.
            (_, (["status" | "relay" | "text"], _)) => (&["reason"], "text of the error"),
            (Literal::Word(word), (["msgid", "to"], _)) if word.contains('@') => {
                (&["to"], "recipient")
            }
            (_, reading) => reading,
        };
        let shown: Vec<String> = names.iter().map(|name| format!("{name}:")).collect();
        let word = query::error::shown(&literal.to_string());
        let note = format!("{word} read as {what} ({})", shown.join(" or "));
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
        let mut any = Vec::new();
        for name in names {
            any.push(self.value(lookup(name, &value.span)?, name, value)?);
        }
        Ok(one_of(any))
    }

    fn value(&mut self, field: &'static Field, name: &str, value: &Value) -> Result<Filter, Error> {
        if field.name == "status" {
            return status(field, value);
        }
        let asked = term::asked(field, value, self.options)?;
        let tests = asked.tests.iter().filter_map(Matcher::of).collect();
        let any = Filter::Any(subject(field, name), tests);
        Ok(if asked.is_negated {
            Filter::Not(Box::new(any))
        } else {
            any
        })
    }
}

fn one_of(mut any: Vec<Filter>) -> Filter {
    match any.pop() {
        Some(only) if any.is_empty() => only,
        more => {
            any.extend(more);
            Filter::Or(any)
        }
    }
}

fn subject(field: &Field, name: &str) -> Subject {
    match field.name {
        "to" => Subject::Recipient,
        "from" => Subject::Sender,
        "addr" => Subject::Address,
        "reason" => Subject::Reason,
        "cause" => Subject::Cause,
        "size" => Subject::Size,
        "nrcpt" => Subject::Nrcpt,
        "age" => Subject::Age,
        "attempts" => Subject::Attempts,
        "qid" => Subject::QueueId,
        "since" | "until" | "date" => Subject::Arrival,
        "client" => Subject::Client,
        "user" => Subject::User,
        "subject" => Subject::Title,
        "header" => Subject::Header(language::header(name).unwrap_or_default().to_owned()),
        _ => Subject::Nothing,
    }
}

/// Reads the name of a queue.
fn status(field: &'static Field, value: &Value) -> Result<Filter, Error> {
    let (literal, is_negated) = match &value.form {
        Form::Is(literal) | Form::Compare(Op::Equal, literal) => (literal, false),
        Form::Compare(Op::Unequal, literal) => (literal, true),
        _ => return Err(no_word(field, "", value)),
    };
    let filter = match (named_status(literal.text()), literal) {
        (Some(filter), _) => filter,
        // A queue of a later Postfix.
        (None, Literal::Quoted(name)) => Filter::Status(Status::named(name)),
        (None, literal) => return Err(no_word(field, literal.text(), value)),
    };
    Ok(if is_negated {
        Filter::Not(Box::new(filter))
    } else {
        filter
    })
}

fn no_word(field: &'static Field, word: &str, value: &Value) -> Error {
    let queues = Status::ALL;
    let names = queues.iter().map(Status::name).chain(fields::WORDS);
    term::bad_word(field, word, &value.span, names)
}

/// Returns what a word for a queue stands for.
#[must_use]
pub fn named_status(word: &str) -> Option<Filter> {
    let word = word.to_lowercase();
    match (word.as_str(), Status::named(&word)) {
        ("held", _) => Some(Filter::Status(Status::Hold)),
        ("queued", _) => Some(Filter::And(Vec::new())),
        ("forced_expire", _) => Some(Filter::ForcedExpire),
        (_, Status::Other(_)) => None,
        (_, status) => Some(Filter::Status(status)),
    }
}

impl Filter {
    /// Returns the filter that both must hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut list) => {
                list.push(other);
                Self::And(list)
            }
            first => Self::And(vec![first, other]),
        }
    }

    /// Returns whether it lets every mail through.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self, Self::And(list) if list.iter().all(Self::is_all))
    }

    /// Returns whether it asks for one of these subjects.
    #[must_use]
    pub fn asks(&self, is_it: fn(&Subject) -> bool) -> bool {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().any(|filter| filter.asks(is_it)),
            Self::Not(inner) => inner.asks(is_it),
            Self::Any(subject, _) => is_it(subject),
            Self::Status(_) | Self::ForcedExpire => false,
        }
    }

    /// Returns whether the mail fits.
    pub fn fits(&self, mail: &Mail, present: &mut Present) -> bool {
        match self {
            Self::And(list) => list.iter().all(|filter| filter.fits(mail, present)),
            Self::Or(list) => list.iter().any(|filter| filter.fits(mail, present)),
            Self::Not(inner) => !inner.fits(mail, present),
            Self::Status(status) => mail.status == *status,
            Self::ForcedExpire => mail.forced_expire,
            Self::Any(subject, tests) => any(subject, tests, mail, present),
        }
    }
}

fn any(subject: &Subject, tests: &[Matcher], mail: &Mail, present: &mut Present) -> bool {
    let text = |text: &str| {
        let lower = text.to_lowercase();
        tests.iter().any(|test| test.fits(text, &lower))
    };
    let number = |number: Option<Number>| {
        number.is_some_and(|number| tests.iter().any(|test| test.fits_number(number)))
    };
    let mut recipients = mail.recipients.iter();
    match subject {
        Subject::Recipient => recipients.any(|recipient| text(&recipient.address)),
        Subject::Sender => mail.sender.as_deref().is_some_and(text),
        Subject::Address => {
            mail.sender.as_deref().is_some_and(text)
                || recipients.any(|recipient| text(&recipient.address))
        }
        Subject::Reason => mail.reasons().into_iter().any(|reason| text(reason)),
        Subject::Cause => causes(mail, present).iter().any(|cause| text(cause)),
        Subject::Size => number(mail.size.map(|size| Number::Int(size.into()))),
        Subject::Nrcpt => number(i64::try_from(mail.recipients.len()).ok().map(Number::of)),
        Subject::Age => number(mail.age(present.now).map(Number::Seconds)),
        Subject::Attempts => {
            let history = mail.history.as_ref();
            number(history.map(|history| Number::of(history.attempts)))
        }
        Subject::QueueId => text(&mail.queue_id),
        Subject::Arrival => mail
            .arrival
            .is_some_and(|time| tests.iter().any(|test| test.fits_time(time))),
        Subject::Client => {
            let (name, address) = client(mail);
            let is_address = |ip: IpAddr| tests.iter().any(|test| test.fits_address(ip));
            let ip = address.and_then(ip::parse_address);
            name.is_some_and(text) || ip.is_some_and(is_address)
        }
        Subject::User => user(mail).is_some_and(text),
        Subject::Title => mail.subject().as_deref().is_some_and(text),
        Subject::Header(name) => {
            let mut headers = mail.headers.iter().flat_map(|headers| headers.iter());
            headers.any(|header| {
                header.name.eq_ignore_ascii_case(name)
                    && (text(&header.value) || text(&header.decoded()))
            })
        }
        Subject::Nothing => false,
    }
}

/// Returns the client's name and address: of the first hop, as the log tells it, else of this queue file.
#[must_use]
pub fn client(mail: &Mail) -> (Option<&str>, Option<&str>) {
    let own = mail.client.as_deref();
    let logged = mail.history.as_deref();
    (
        logged
            .and_then(|history| history.client_name.as_deref())
            .or(own.and_then(|client| client.name.as_deref())),
        logged
            .and_then(|history| history.client_address.as_deref())
            .or(own.and_then(|client| client.address.as_deref())),
    )
}

/// Returns the log-in name of the client.
#[must_use]
pub fn user(mail: &Mail) -> Option<&str> {
    let own = mail.client.as_deref();
    let logged = mail.history.as_deref();
    logged
        .and_then(|history| history.user.as_deref())
        .or(own.and_then(|client| client.user.as_deref()))
}

/// Returns the cause of an error.
pub fn cause(reason: &str, present: &mut Present) -> &'static str {
    if let Some(cause) = present.known.get(reason) {
        return cause;
    }
    let evidence = Evidence {
        reason,
        ..Evidence::default()
    };
    let cause = present.causes.find(&evidence).cause;
    if present.known.len() >= MOST_KNOWN {
        present.known.clear();
    }
    present.known.insert(reason.into(), cause);
    cause
}

/// Returns the causes of the mail's errors, each once; from the log where the queue has no error.
pub fn causes(mail: &Mail, present: &mut Present) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for reason in mail.reasons() {
        let cause = cause(reason, present);
        if !found.iter().any(|known| known == cause) {
            found.push(cause.to_owned());
        }
    }
    if found.is_empty() {
        let logged = mail.history.as_ref().and_then(|h| h.cause.clone());
        found.extend(logged);
    }
    found
}
