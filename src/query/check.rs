//! Check: tree + fields -> rules. Here names get a meaning, and values their type.

use super::ast::{Expr, Form, Literal, Node, Op, Term, Value};
use super::error::{Error, Kind, Span, visible_text};
use super::field::{Field, FieldKind};
use super::fields;
use super::limits::MAX_VALUES;
use super::plan::{Rule, Test};
use super::status_words;
use super::value::{self, Given};
use super::{Options, bare};
use crate::model::time::Time;

/// What was understood of a tree.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that the query names or not"
)]
pub(super) struct Checked {
    /// How bare words were read.
    pub(super) readings: Vec<String>,
    /// A state inside our own systems was asked for by name.
    pub(super) names_hop: bool,
    /// A status was asked for.
    pub(super) names_status: bool,
    /// Addresses that are asked for, each with its field.
    pub(super) asked: Vec<(&'static str, String)>,
    /// Recipients are asked for: an address, a part of one or a pattern.
    pub(super) names_recipient: bool,
    /// Bare words by the place of the first, and how else they may be read.
    pub(super) others: Vec<(Span, &'static [bare::Other])>,
    /// A bare word is text of a reply; then those for a status are, too.
    pub(super) has_text: bool,
    values: usize,
    is_negated: bool,
}

impl Checked {
    /// Gives the tree its meaning.
    pub(super) fn rule(&mut self, expr: &Expr, options: &Options) -> Result<Rule, Error> {
        match &expr.node {
            Node::And(list) => Ok(Rule::And(self.rules(list, options)?)),
            Node::Or(list) => Ok(Rule::Or(self.rules(list, options)?)),
            Node::Not(inner) => {
                self.is_negated = !self.is_negated;
                let rule = self.rule(inner, options);
                self.is_negated = !self.is_negated;
                Ok(Rule::Not(Box::new(rule?)))
            }
            Node::Term(term) => self.term(term, options),
        }
    }

    fn rules(&mut self, list: &[Expr], options: &Options) -> Result<Vec<Rule>, Error> {
        list.iter().map(|expr| self.rule(expr, options)).collect()
    }

    fn term(&mut self, term: &Term, options: &Options) -> Result<Rule, Error> {
        let field = term
            .field
            .as_ref()
            .map(|name| fields::lookup(&name.text, &name.span))
            .transpose()?;
        let mut rules = Vec::new();
        for value in &term.values {
            self.values += 1;
            if self.values > MAX_VALUES {
                return Err(Error::new(Kind::TooMany, value.span.clone()));
            }
            let rule = match field {
                Some(field) => self.value(field, value, options)?,
                None => self.bare(value, options)?,
            };
            push(&mut rules, rule);
        }
        if field.is_none() {
            self.note_others(&term.values);
        }
        Ok(one_of(rules))
    }

    /// Words that are excluded are not read anew: that would only find more.
    fn note_others(&mut self, values: &[Value]) {
        let others = |value: &Value| match &value.form {
            Form::Is(literal) => bare::others(literal),
            _ => &[],
        };
        let Some(first) = values.first().filter(|_| !self.is_negated) else {
            return;
        };
        let found = others(first);
        if !found.is_empty() && values.iter().all(|value| others(value) == found) {
            self.others.push((first.span.clone(), found));
        }
    }

    fn bare(&mut self, value: &Value, options: &Options) -> Result<Rule, Error> {
        let Form::Is(literal) = &value.form else {
            return Err(Error::new(Kind::MissingColon, value.span.clone()));
        };
        let reading = if bare::is_status(literal) && !self.has_text {
            bare::AS_STATUS
        } else {
            bare::read(literal)
        };
        let names: Vec<String> = reading
            .fields
            .iter()
            .map(|name| format!("{name}:"))
            .collect();
        let word = visible_text(&literal.to_string());
        let mut note = format!("{word} read as {} ({})", reading.what, names.join(" or "));
        if matches!(literal, Literal::Quoted(text) if bare::is_address(text)) {
            note.push_str("; without quotes it is a recipient");
        }
        if !self.readings.contains(&note) {
            self.readings.push(note);
        }
        let mut rules = Vec::new();
        for name in reading.fields {
            rules.push(self.value(fields::lookup(name, &value.span)?, value, options)?);
        }
        Ok(one_of(rules))
    }

    fn value(
        &mut self,
        field: &'static Field,
        value: &Value,
        options: &Options,
    ) -> Result<Rule, Error> {
        let given = Given {
            field,
            span: &value.span,
            options,
        };
        let is_of_recipient =
            field.recipient.plain.iter().all(|column| {
                matches!(*column, "t.recipient" | "t.orig_to" | "t.recipient_within")
            });
        self.names_recipient |=
            !self.is_negated && field.kind == FieldKind::Address && is_of_recipient;
        self.names_status |= matches!(field.kind, FieldKind::Status | FieldKind::Ever);
        let any = |tests| Rule::Any(field, tests);
        match &value.form {
            Form::Is(literal) => {
                self.note_hop(field, literal);
                self.note_address(field, literal);
                given.is(literal).map(any)
            }
            Form::Range(low, high) => given.range(low.as_ref(), high.as_ref()).map(any),
            Form::Compare(Op::Unequal, literal) => {
                self.note_hop(field, literal);
                Ok(Rule::Not(Box::new(any(given.equal(literal)?))))
            }
            Form::Compare(Op::Equal, literal) => {
                self.note_hop(field, literal);
                self.note_address(field, literal);
                given.equal(literal).map(any)
            }
            Form::Compare(Op::Contains, literal) => given.contains(literal).map(any),
            Form::Compare(op, literal) => given.order(*op, literal).map(any),
        }
    }

    /// Whole addresses only: a pattern or a domain asks for nobody in particular.
    fn note_address(&mut self, field: &'static Field, literal: &Literal) {
        if self.is_negated || field.kind != FieldKind::Address || literal.is_pattern() {
            return;
        }
        let text = literal.text();
        let address = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
        let address = address.unwrap_or(text);
        let is_whole = address
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        let asked = (field.name, address.to_lowercase());
        if is_whole && !self.asked.contains(&asked) {
            self.asked.push(asked);
        }
    }

    fn note_hop(&mut self, field: &Field, literal: &Literal) {
        let is_hop = match field.kind {
            FieldKind::Status => status_words::HOPS
                .iter()
                .any(|hop| hop.eq_ignore_ascii_case(literal.text())),
            FieldKind::Chain => true,
            _ => false,
        };
        self.names_hop |= is_hop;
    }
}

fn one_of(mut rules: Vec<Rule>) -> Rule {
    match rules.pop() {
        Some(only) if rules.is_empty() => only,
        more => {
            rules.extend(more);
            Rule::Or(rules)
        }
    }
}

/// Adds a rule; tests of the same field become one rule.
fn push(rules: &mut Vec<Rule>, rule: Rule) {
    match (rules.last_mut(), rule) {
        (Some(Rule::Any(last, tests)), Rule::Any(field, more)) if last.name == field.name => {
            tests.extend(more);
        }
        (_, rule) => rules.push(rule),
    }
}

/// Reads the times of `--since` and `--until`.
pub(super) fn window(options: &Options) -> Result<Option<Rule>, Error> {
    let time = |text: &Option<String>, ahead| match text {
        None => Ok(None),
        Some(text) => value::time(text, &(0..text.len()), options, ahead)
            .map(|unit| Some(unit.start))
            .map_err(|error| error.within(text)),
    };
    let since = time(&options.since, 0)?;
    let mut until = time(&options.until, value::END_AHEAD)?;
    if since.is_some() && until.is_some() && until <= since {
        until = time(&options.until, value::YEAR)?;
    }
    Ok((since.is_some() || until.is_some()).then(|| within(since, until)))
}

/// Returns the rule that something of a hit happened within these times.
pub(super) fn within(since: Option<Time>, until: Option<Time>) -> Rule {
    Rule::Any(&fields::DATE, vec![Test::Within(since, until)])
}
