//! Value: a literal and its field's kind -> what the field's columns are tested for.

use super::Options;
use super::ast::{Literal, Op};
use super::bare::is_long_id;
use super::domain::{is_domain, parent_domain};
use super::error::{Error, Kind, Span};
use super::field::{Field, FieldKind};
use super::nearest::nearest;
use super::plan::Test;
use super::status_words;
use super::time::{self, Unit};
use super::{form, local};
use crate::cause;
use crate::model::ip::{Network, parse_address};
use crate::model::table::Param;

/// A value's field, its place, and the present.
pub(super) struct Given<'a> {
    pub(super) field: &'static Field,
    pub(super) span: &'a Span,
    pub(super) options: &'a Options,
}

/// Days that the end of a window may lie ahead when it has no year: people name tomorrow so.
pub(super) const END_AHEAD: u64 = 7;

/// The end of a window is the first such day after its start.
pub(super) const YEAR: u64 = 365;

type Tests = Result<Vec<Test>, Error>;

impl Given<'_> {
    /// `field:x`
    pub(super) fn is(&self, literal: &Literal) -> Tests {
        if let Literal::Regex { pattern, fold } = literal {
            return self.regex(pattern, *fold);
        }
        let text = literal.text();
        if text.is_empty() {
            return self.empty();
        }
        let is_word = matches!(literal, Literal::Word(_));
        if self.is_text() && literal.is_pattern() {
            return Ok(self.like(text));
        }
        Ok(match self.field.kind {
            FieldKind::Address => each(&form::address(unbracketed(text)), |text| {
                address(text, is_word)
            }),
            FieldKind::User => each(&form::unicode(text), user),
            FieldKind::Host => each(&form::domain(text), |text| host(text, is_word)),
            FieldKind::QueueId | FieldKind::Chain => vec![queue_id(text)],
            FieldKind::MessageId => message_id(text),
            FieldKind::Status => self.status(text, is_word)?,
            FieldKind::Ever => self.ever(text, is_word)?,
            FieldKind::Cause => self.cause(text)?,
            FieldKind::Text => each(&form::unicode(text), |text| {
                vec![Test::Contains(text.to_owned())]
            }),
            FieldKind::Word => vec![Test::Equal(text.to_owned())],
            FieldKind::Service => vec![
                Test::Equal(text.to_owned()),
                Test::Suffix(format!("/{text}")),
                Test::Prefix(format!("{text}/")),
            ],
            FieldKind::Dsn => self.dsn(text)?,
            FieldKind::Count | FieldKind::Bytes | FieldKind::Seconds | FieldKind::Code => {
                let (low, high) = self.number(text)?;
                vec![Test::Between(Some(low), Some(high))]
            }
            FieldKind::Since => vec![Test::Within(Some(self.time(text)?.start), None)],
            FieldKind::Until => {
                vec![Test::Within(
                    None,
                    Some(time(text, self.span, self.options, END_AHEAD)?.start),
                )]
            }
            FieldKind::Date => {
                let unit = self.unit(text)?;
                vec![Test::Within(Some(unit.start), Some(unit.end))]
            }
        })
    }

    /// `field:=x`
    pub(super) fn equal(&self, literal: &Literal) -> Tests {
        let text = literal.text();
        let exactly = match (self.field.kind, literal) {
            (FieldKind::Chain | FieldKind::Since | FieldKind::Until, _)
            | (_, Literal::Regex { .. }) => {
                return Err(self.operator("="));
            }
            // Their plain form is exact already, or knows more than the text.
            (FieldKind::QueueId | FieldKind::MessageId | FieldKind::Date, _) => {
                return self.is(literal);
            }
            (kind, _) if kind.is_ordered() => return self.is(literal),
            (FieldKind::Address, _) => {
                let forms = form::address(unbracketed(text));
                return Ok(forms.into_iter().map(Test::Equal).collect());
            }
            _ => text,
        };
        let forms = form::unicode(exactly);
        Ok(forms.into_iter().map(Test::Equal).collect())
    }

    /// `field:~x`
    pub(super) fn contains(&self, literal: &Literal) -> Tests {
        if let Literal::Regex { pattern, fold } = literal {
            return self.regex(pattern, *fold);
        }
        if !self.is_text() {
            return Err(self.operator("~"));
        }
        if literal.text().is_empty() {
            return self.empty();
        }
        let forms = form::unicode(literal.text());
        Ok(forms.into_iter().map(Test::Contains).collect())
    }

    /// `field:>x`
    pub(super) fn order(&self, op: Op, literal: &Literal) -> Tests {
        if self.field.kind == FieldKind::Date {
            let unit = self.unit(self.plain(literal)?)?;
            return Ok(vec![match op {
                Op::Greater => Test::Within(Some(unit.end), None),
                Op::AtLeast => Test::Within(Some(unit.start), None),
                Op::Less => Test::Within(None, Some(unit.start)),
                _ => Test::Within(None, Some(unit.end)),
            }]);
        }
        let (low, high) = self.number(self.plain(literal)?)?;
        Ok(vec![match op {
            Op::Greater => Test::Greater(high),
            Op::AtLeast => Test::Between(Some(low), None),
            Op::Less => Test::Less(low),
            _ => Test::Between(None, Some(high)),
        }])
    }

    /// `field:a..b`
    pub(super) fn range(&self, low: Option<&Literal>, high: Option<&Literal>) -> Tests {
        if self.field.kind == FieldKind::Date {
            let unit = |end: Option<&Literal>| end.map(|l| self.unit(self.plain(l)?)).transpose();
            let (since, mut until) = (unit(low)?.map(|u| u.start), unit(high)?.map(|u| u.end));
            if let (Some(since), Some(high)) = (since, high)
                && until <= Some(since)
            {
                until = Some(time(self.plain(high)?, self.span, self.options, YEAR)?.end);
            }
            if since
                .zip(until)
                .is_some_and(|(since, until)| since >= until)
            {
                return Err(self
                    .error(Kind::EmptyRange)
                    .hint("the earlier time comes first"));
            }
            return Ok(vec![Test::Within(since, until)]);
        }
        let number = |end: Option<&Literal>| end.map(|l| self.number(self.plain(l)?)).transpose();
        let (low, high) = (
            number(low)?.map(|(low, _)| low),
            number(high)?.map(|(_, high)| high),
        );
        if low
            .as_ref()
            .zip(high.as_ref())
            .is_some_and(|(low, high)| is_above(low, high))
        {
            return Err(self
                .error(Kind::EmptyRange)
                .hint("the smaller value comes first"));
        }
        Ok(vec![Test::Between(low, high)])
    }

    fn is_text(&self) -> bool {
        use FieldKind as K;
        matches!(
            self.field.kind,
            K::Address
                | K::User
                | K::Host
                | K::QueueId
                | K::MessageId
                | K::Status
                | K::Ever
                | K::Cause
                | K::Text
                | K::Word
                | K::Service
                | K::Dsn
        )
    }

    fn empty(&self) -> Tests {
        match self.field.kind {
            // from:"" is the null sender.
            FieldKind::Address | FieldKind::Word | FieldKind::User | FieldKind::MessageId => {
                Ok(vec![Test::Equal(String::new())])
            }
            _ => Err(self.bad_value()),
        }
    }

    fn regex(&self, pattern: &str, fold: bool) -> Tests {
        if !self.is_text() {
            return Err(self.error(Kind::NoPattern(self.field.name)));
        }
        let checked = regex::RegexBuilder::new(pattern)
            .case_insensitive(fold)
            .size_limit(1 << 20)
            .build();
        match checked {
            Ok(_) => Ok(vec![Test::Regex {
                pattern: pattern.to_owned(),
                fold,
            }]),
            Err(regex::Error::CompiledTooBig(_)) => {
                Err(self.error(Kind::BadRegex("it is too big".into())))
            }
            Err(error) => {
                // The last line of the crate's message is the cause, the others draw the place.
                let text = error.to_string();
                let cause = text
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_owned();
                Err(self
                    .error(Kind::BadRegex(cause))
                    .hint("put a backslash before . * + ? ( ) [ ] { } | to search for the character itself"))
            }
        }
    }

    fn like(&self, text: &str) -> Vec<Test> {
        let word = if self.field.kind == FieldKind::Address {
            unbracketed(text)
        } else {
            text
        };
        each(&form::unicode(word), |word| {
            let pattern = like_pattern(word);
            vec![Test::Like(match self.field.kind {
                FieldKind::Text => format!("%{pattern}%"),
                FieldKind::Address if word.starts_with('@') => format!("%{pattern}"),
                _ => pattern,
            })]
        })
    }

    fn status(&self, text: &str, is_word: bool) -> Tests {
        let word = text.to_lowercase();
        let is_among = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(&word));
        if is_among(&status_words::MESSAGE_STATUS) {
            return Ok(vec![Test::MessageStatus(word)]);
        }
        match word.as_str() {
            "refused" => return Ok(vec![Test::Refused]),
            "not_accepted" => return Ok(vec![Test::NotAccepted]),
            "rejected" => return Ok(vec![Test::Equal(word), Test::Refused]),
            _ => {}
        }
        if is_word
            && !is_among(&status_words::RECIPIENT_STATUS)
            && !is_among(&status_words::REFUSAL_STATUS)
        {
            let known = || {
                status_words::RECIPIENT_STATUS
                    .into_iter()
                    .chain(status_words::MESSAGE_STATUS)
                    .chain(status_words::REFUSAL_STATUS)
            };
            return Err(self.unknown_status(&word, known()));
        }
        Ok(vec![Test::Equal(word)])
    }

    fn ever(&self, text: &str, is_word: bool) -> Tests {
        let is_known = status_words::RECIPIENT_STATUS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(text));
        if is_word && !is_known {
            return Err(self.unknown_status(text, status_words::RECIPIENT_STATUS));
        }
        Ok(vec![Test::Equal(text.to_owned())])
    }

    fn cause(&self, text: &str) -> Tests {
        let causes = cause::meant(text);
        if !causes.is_empty() {
            let tests = causes.into_iter().map(str::to_owned).map(Test::Equal);
            return Ok(tests.collect());
        }
        let names = || cause::all().iter().map(|cause| cause.name.as_str());
        let words = names().flat_map(|name| std::iter::once(name).chain(name.split('_')));
        let all: Vec<&str> = names().collect();
        let hint = match nearest(text, words) {
            Some(near) => format!(
                "write {near} if you mean this; the known words are {}",
                all.join(" ")
            ),
            None => format!("the known words are {}", all.join(" ")),
        };
        Err(self.bad_value().hint(hint))
    }

    fn unknown_status(
        &self,
        word: &str,
        known: impl IntoIterator<Item = &'static str> + Clone,
    ) -> Error {
        // What other programs call it.
        let near = match word {
            "delivered" | "ok" | "success" => Some("sent"),
            "failed" | "returned" => Some("bounced"),
            "greylisted" | "delayed" | "pending" | "retry" => Some("deferred"),
            "blocked" | "denied" => Some("refused"),
            _ => nearest(word, known.clone()),
        };
        let all: Vec<&str> = known.into_iter().collect();
        let hint = match near {
            Some(near) => format!(
                "write {near} if you mean this; the known words are {}",
                all.join(" ")
            ),
            None => format!("the known words are {}", all.join(" ")),
        };
        self.bad_value().hint(hint)
    }

    fn dsn(&self, text: &str) -> Tests {
        let code = text.trim_end_matches('.');
        let parts: Vec<&str> = code.split('.').collect();
        let digits =
            |p: &&str| !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit());
        if parts.len() > 3 || !parts.iter().all(digits) {
            return Err(self.bad_value());
        }
        let mut tests = vec![Test::Equal(code.to_owned())];
        if parts.len() < 3 {
            tests.push(Test::Prefix(format!("{code}.")));
        }
        Ok(tests)
    }

    /// Reads a number; a code's first digits stand for all codes that begin with them.
    fn number(&self, text: &str) -> Result<(Param, Param), Error> {
        let int = |n: i64| (Param::Int(n), Param::Int(n));
        match self.field.kind {
            FieldKind::Count => digits(text).map(int),
            FieldKind::Bytes => bytes(text).map(int),
            FieldKind::Seconds => time::parse_length(text)
                .filter(|s| s.is_finite())
                .map(|s| (Param::Float(s), Param::Float(s))),
            FieldKind::Code => code(text).map(|(low, high)| (Param::Int(low), Param::Int(high))),
            _ => None,
        }
        .ok_or_else(|| self.bad_value())
    }

    fn plain<'l>(&self, literal: &'l Literal) -> Result<&'l str, Error> {
        match literal {
            Literal::Regex { .. } => Err(self.error(Kind::NoPattern(self.field.name))),
            Literal::Word(text) | Literal::Quoted(text) => Ok(text),
        }
    }

    fn time(&self, text: &str) -> Result<Unit, Error> {
        time(text, self.span, self.options, 0)
    }

    /// Reads a time that is a whole unit; moments are none.
    fn unit(&self, text: &str) -> Result<Unit, Error> {
        let unit = self.time(text)?;
        if unit.start < unit.end {
            return Ok(unit);
        }
        Err(self
            .error(Kind::BadTime(text.to_owned()))
            .hint("date: takes whole days, months or hours; for a moment use since: or until:"))
    }

    fn error(&self, kind: Kind) -> Error {
        Error::new(kind, self.span.clone())
    }

    fn bad_value(&self) -> Error {
        self.error(Kind::BadValue {
            field: self.field.name,
            wants: self.field.kind.wants(),
        })
    }

    fn operator(&self, operator: &'static str) -> Error {
        self.error(Kind::BadOperator {
            field: self.field.name,
            operator,
        })
    }
}

/// Reads a time or says which forms there are; a day without a year lies at most so many days ahead.
pub(super) fn time(text: &str, span: &Span, options: &Options, ahead: u64) -> Result<Unit, Error> {
    time::parse_ahead(text, options.now, options.zone, ahead)
        .ok_or_else(|| Error::new(Kind::BadTime(text.to_owned()), span.clone()).hint(time::FORMS))
}

/// Takes the brackets off `<a@b>`; `<>` is the empty address.
fn unbracketed(text: &str) -> &str {
    text.strip_prefix('<')
        .and_then(|t| t.strip_suffix('>'))
        .unwrap_or(text)
}

/// Tests for each of the spellings.
fn each(forms: &[String], tests: impl Fn(&str) -> Vec<Test>) -> Vec<Test> {
    forms.iter().flat_map(|form| tests(form)).collect()
}

fn address(text: &str, is_word: bool) -> Vec<Test> {
    let address = text;
    if address.is_empty() || (address.contains('@') && !is_word) {
        return vec![Test::Equal(address.to_owned())];
    }
    if !is_word {
        return vec![Test::Contains(address.to_owned())];
    }
    if let Some(parent) = parent_domain(address.strip_prefix('@').unwrap_or(address)) {
        return vec![
            Test::Suffix(format!("@{parent}")),
            Test::Suffix(format!(".{parent}")),
        ];
    }
    vec![if address.starts_with('@') {
        Test::Suffix(address.to_owned())
    } else if address.ends_with('@') {
        Test::Prefix(address.to_owned())
    } else if address.contains('@') {
        Test::Equal(address.to_owned())
    } else if is_domain(address) {
        Test::Suffix(format!("@{address}"))
    } else {
        Test::Contains(address.to_owned())
    }]
}

fn user(text: &str) -> Vec<Test> {
    if text.starts_with('@') {
        return vec![Test::Suffix(text.to_owned())];
    }
    let mut tests = vec![Test::Equal(text.to_owned())];
    if !text.contains('@') {
        tests.push(Test::Prefix(format!("{text}@")));
    }
    tests
}

fn host(text: &str, is_word: bool) -> Vec<Test> {
    if let Some(network) = Network::parse(text) {
        let address = network.address;
        return vec![if network.is_single() {
            Test::IsAddress(address.to_string())
        } else {
            Test::InNetwork(format!("{address}/{}", network.prefix))
        }];
    }
    if let Some(address) = named_address(text) {
        return vec![Test::IsAddress(address)];
    }
    let numbers = text.trim_end_matches('.');
    let octets = numbers
        .split('.')
        .filter(|o| !o.is_empty() && o.bytes().all(|b| b.is_ascii_digit()))
        .count();
    if is_word && text.contains('.') && octets == numbers.split('.').count() && octets < 4 {
        let octets = numbers
            .split('.')
            .chain(["0"; 4])
            .take(4)
            .collect::<Vec<_>>()
            .join(".");
        let prefix = 8 * numbers.split('.').count();
        let network = format!("{octets}/{prefix}");
        if Network::parse(&network).is_some() {
            return vec![Test::InNetwork(network)];
        }
    }
    match text.strip_prefix('.') {
        Some(parent) if is_word && !parent.is_empty() => vec![
            Test::Equal(parent.to_owned()),
            Test::Suffix(text.to_owned()),
        ],
        None if is_word && is_domain(text) => vec![
            Test::Equal(text.to_owned()),
            Test::Suffix(format!(".{text}")),
        ],
        _ => vec![Test::Contains(text.to_owned())],
    }
}

/// Returns the address of `mx.example.org[192.0.2.25]:25`, as the log writes a host; the name alone may stand for others.
fn named_address(text: &str) -> Option<String> {
    let (name, rest) = text.split_once('[')?;
    let (address, port) = rest.split_once(']')?;
    let is_port = port
        .strip_prefix(':')
        .is_some_and(|port| digits(port).is_some());
    let fits = !name.is_empty() && (port.is_empty() || is_port);
    let address = parse_address(address).filter(|_| fits)?;
    Some(address.to_string())
}

/// Short ids are logged in capitals; in long ids case matters.
fn queue_id(text: &str) -> Test {
    let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit());
    Test::Exact(if is_hex && !is_long_id(text) {
        text.to_ascii_uppercase()
    } else {
        text.to_owned()
    })
}

/// The log has brackets around nearly every id; people copy it with and without.
fn message_id(text: &str) -> Vec<Test> {
    let id = unbracketed(text);
    if !text.contains('@') && text == id {
        return vec![Test::Contains(id.to_owned())];
    }
    vec![Test::Equal(format!("<{id}>")), Test::Equal(id.to_owned())]
}

/// Turns wildcards into those of LIKE.
fn like_pattern(text: &str) -> String {
    let local = local::quoted_part(text);
    let mut pattern = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        match c {
            '*' if at >= local => pattern.push('%'),
            '?' if at >= local => pattern.push('_'),
            '%' | '_' | '\\' => pattern.extend(['\\', c]),
            c => pattern.push(c),
        }
    }
    pattern
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Reads `500`, `20K`, `10M`, `1.5G`, with or without a `B`; K is 1024.
fn bytes(text: &str) -> Option<i64> {
    let upper = text.trim().to_ascii_uppercase();
    let number = upper.strip_suffix('B').unwrap_or(&upper);
    let number = number.strip_suffix('I').unwrap_or(number);
    let (number, unit) = [('K', 10), ('M', 20), ('G', 30), ('T', 40)]
        .into_iter()
        .find_map(|(letter, shift)| Some((number.strip_suffix(letter)?, 1_i64 << shift)))
        .unwrap_or((number, 1));
    if let Some(whole) = digits(number) {
        return whole.checked_mul(unit);
    }
    let is_plain = number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let fraction: f64 = number.parse().ok().filter(|_| is_plain && unit > 1)?;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "checked against the range"
    )]
    let size = {
        let size = fraction * unit as f64;
        (size < 9e18).then_some(size.round() as i64)?
    };
    Some(size)
}

/// Reads `550`, `55`, `5`, `5xx` as the codes that begin so.
fn code(text: &str) -> Option<(i64, i64)> {
    let known = text.trim_end_matches(['x', 'X']);
    let number = digits(known)?;
    let open = 3_usize.checked_sub(known.len())?;
    (text.len() == known.len() || text.len() == 3).then_some(())?;
    let width = 10_i64.pow(u32::try_from(open).ok()?);
    Some((number * width, number * width + width - 1))
}

fn is_above(low: &Param, high: &Param) -> bool {
    match (low, high) {
        (Param::Int(low), Param::Int(high)) => low > high,
        (Param::Float(low), Param::Float(high)) => low > high,
        (Param::Time(low), Param::Time(high)) => low > high,
        _ => false,
    }
}
