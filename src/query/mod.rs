//! Query: find text -> tokens with spans -> tree -> checked rules -> SQL with bound parameters. Pure.
//!
//! ```text
//! query   = or ;
//! or      = and { "OR" and } ;
//! and     = unary { [ "AND" ] unary } ;            space means AND
//! unary   = [ "-" | "NOT" ] atom ;
//! atom    = "(" query ")" | field ":" values | bare { "," bare } ;
//! values  = value { "," value } ;                  comma means any of; no blanks beside it
//! value   = cmp literal | literal ".." [ literal ] | ".." literal | literal ;
//! cmp     = ">" | ">=" | "<" | "<=" | "=" | "!=" | "~" ;
//! bare    = literal ;
//! literal = word | '"' text '"' | "/" regex "/" [ "i" ] ;   * and ? are wildcards in word
//!                                                  word is also "john smith"@example.org and /S=x/@example.org
//! ```
//!
//! Keywords are written in capitals. In quotes `\"` and `\\` stand for `"` and `\`; between slashes `\/` for `/`. `> >= < <= ..` compare
//! only where values have an order (numbers, sizes, lengths of time, codes, dates); `=` is the whole value exactly, `~` a part of it.
//! The fields stand in [`fields::FIELDS`], the reading of bare words in `bare.rs`, that of shell arguments in [`args`].
//!
//! Case of letters matters in long queue ids and in `/regex/` without `i`, nowhere else.
//! The window is of activity: a mail is in it when its first attempt is not after and its last one not before it.

pub mod args;
pub mod ast;
mod bare;
mod check;
mod condition;
mod count;
mod day;
mod domain;
pub mod error;
pub mod field;
pub mod fields;
mod foreign_words;
mod form;
pub mod found;
mod hops;
mod idn;
mod lex;
mod limits;
mod local;
mod nearest;
mod parse;
mod pasted;
mod plan;
mod prefilter;
pub mod request;
mod sql;
pub mod status_words;
pub mod story;
pub mod term;
#[cfg(test)]
pub(crate) mod tests;
pub mod time;
mod turned;
mod value;
pub mod values;
mod writer;

pub use args::protect;
pub use count::{count_by, counted};
pub use error::Error;
pub use found::Search;
pub use request::{Request, Wanted};
pub use writer::Statement;

use crate::model::table::Param;
use crate::model::time::{DAY, Time};
use crate::model::zone::Zone;
use check::Checked;
use hops::Hops;
use plan::Rule;

/// Days that are searched when no time is named.
pub const DEFAULT_DAYS: i64 = 7;

/// What a query depends on beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The present.
    pub now: Time,
    /// The user's zone.
    pub zone: Zone,
    /// `--since` as typed.
    pub since: Option<String>,
    /// `--until` as typed.
    pub until: Option<String>,
    /// Lift the default window.
    pub all: bool,
    /// At most this many hits, the newest.
    pub limit: Option<u64>,
    /// Show also the rows that handed a mail over inside our own systems, though the row with its fate is there.
    pub all_hops: bool,
}

/// A query ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The text of the query, joined from its arguments.
    pub text: String,
    /// One statement with parameters `$1`, `$2`, …
    pub sql: String,
    /// Their values.
    pub params: Vec<Param>,
    /// The same in pieces, for as many hits as there may be.
    pub search: Search,
    /// How bare words were read and which time is searched, to be said on stderr.
    pub reading: Vec<String>,
    /// Addresses asked for, in small letters, each with the name of its field.
    pub asked: Vec<(&'static str, String)>,
    /// Recipients are asked for, be it by a domain, an alias or a pattern.
    pub names_recipient: bool,
    /// What else bare words may mean, the likeliest first.
    pub others: Vec<Other>,
    /// The query itself names no time: `--all` and `--since` decide.
    pub is_window_outside: bool,
    /// The time searched: from, until (not included); open where none.
    pub window: (Option<Time>, Option<Time>),
    /// What it was compiled with beside the text.
    pub options: Options,
    /// Hits are counted by this field, that many values at most.
    pub counted: Option<(String, Option<u64>)>,
}

/// The same query with a bare word read in another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its text.
    pub text: String,
    /// The word as it is written.
    pub word: String,
    /// The field that has it as value.
    pub field: &'static str,
    /// What it is taken for, for people.
    pub what: &'static str,
    /// Worth asking at once where nothing was found; else it is a near miss.
    pub is_tried: bool,
}

/// Other readings of one query; each costs a query.
const MOST_OTHERS: usize = 8;

/// Compiles the arguments of a search; none at all is everything in the window.
///
/// # Errors
/// When the text is not a query, or a value not of its field's kind: with the place in the text and a hint.
pub fn compile<S: AsRef<str>>(terms: &[S], options: &Options) -> Result<Plan, Error> {
    if terms.is_empty() {
        return plan("", Rule::And(Vec::new()), Checked::default(), options);
    }
    compile_text(&args::join(terms), options)
}

/// Compiles a query text.
///
/// # Errors
/// As [`compile`].
pub fn compile_text(text: &str, options: &Options) -> Result<Plan, Error> {
    let mut checked = Checked::default();
    let tree = parse::parse(text).map_err(|error| error.within(text))?;
    checked.has_text = bare::has_text(&tree);
    let asked = checked
        .rule(&tree, options)
        .map_err(|error| error.within(text))?;
    let others = others(&tree, &checked);
    let mut plan = plan(text, asked, checked, options)?;
    plan.others = others;
    Ok(plan)
}

fn others(tree: &ast::Expr, checked: &Checked) -> Vec<Other> {
    let each = checked
        .others
        .iter()
        .flat_map(|(place, others)| others.iter().map(move |other| (place, other)));
    let read = each.filter_map(|(place, other)| {
        let mut tree = tree.clone();
        let word = tree.give_field(place, other.field)?;
        Some(Other {
            text: tree.to_string(),
            word: error::visible_text(&word),
            field: other.field,
            what: other.what,
            is_tried: other.is_tried,
        })
    });
    read.take(MOST_OTHERS).collect()
}

fn plan(text: &str, asked: Rule, checked: Checked, options: &Options) -> Result<Plan, Error> {
    let is_window_outside = asked.window() == (None, None);
    let mut rules = vec![asked];
    rules.extend(check::window(options)?);
    let mut rule = Rule::And(rules);
    let mut is_default = false;
    if rule.window() == (None, None) && !options.all {
        is_default = true;
        rule = Rule::And(vec![
            rule,
            check::within(Some(options.now.plus(-DEFAULT_DAYS * DAY)), None),
        ]);
    }
    let window = rule.window();
    let mut reading = checked.readings;
    reading.push(describe(window, is_default, options.zone));
    let hops = if options.all_hops || checked.names_hop {
        Hops::Always
    } else if checked.names_status || !condition::names_detail(&rule, false) {
        Hops::UnlessFateKnown
    } else {
        Hops::UnlessFateHit
    };
    let search = Search::new(rule, hops, options.limit);
    let statement = search.rows();
    Ok(Plan {
        text: text.to_owned(),
        sql: statement.sql,
        params: statement.params,
        search,
        reading,
        asked: checked.asked,
        names_recipient: checked.names_recipient,
        others: Vec::new(),
        is_window_outside,
        window,
        options: options.clone(),
        counted: None,
    })
}

/// Returns the place of the column that a person names: by its own name or by that of a field (`to`, `qid`).
///
/// # Errors
/// When there is none: what may be meant instead.
pub fn column(name: &str, columns: &[String]) -> Result<usize, String> {
    let place = |name: &str| columns.iter().position(|c| c == name);
    let wanted = name.trim().to_ascii_lowercase().replace('-', "_");
    let of_field = || {
        let field = fields::find(&wanted)?;
        let column = field
            .recipient
            .plain
            .first()
            .or(field.refusal.plain.first())?;
        place(column.rsplit('.').next()?)
    };
    place(&wanted).or_else(of_field).ok_or_else(|| {
        let near = nearest::nearest(&wanted, columns.iter().map(String::as_str));
        let hint = near.map(|near| format!("; did you mean {near}?"));
        format!(
            "no column {}{}; there are {}",
            name.escape_debug(),
            hint.unwrap_or_default(),
            columns.join(" ")
        )
    })
}

/// Returns the spellings of an address or domain that mean the same.
#[must_use]
pub fn spellings(text: &str) -> Vec<String> {
    match text.rsplit_once('@') {
        Some((local, _)) if !local.is_empty() => form::address(text),
        _ => form::domain(text),
    }
}

/// Reads a query text and returns its tree.
///
/// # Errors
/// When it is not a query.
pub fn parse_text(text: &str) -> Result<ast::Expr, Error> {
    parse::parse(text).map_err(|error| error.within(text))
}

/// Reads a query text over other fields than those of what is stored.
///
/// # Errors
/// When it is no query, or `fields` does not know a field.
pub fn parse_text_with(text: &str, fields: fields::Lookup) -> Result<ast::Expr, Error> {
    parse::parse_with(text, fields).map_err(|error| error.within(text))
}

fn describe(window: (Option<Time>, Option<Time>), is_default: bool, zone: Zone) -> String {
    let show = |t| time::show(t, zone);
    match window {
        (Some(since), _) if is_default => {
            format!(
                "searching the last {DEFAULT_DAYS} days, from {} (--all searches everything)",
                show(since)
            )
        }
        (Some(since), Some(until)) if since >= until => format!(
            "searching from {} until {}: the range is empty",
            show(since),
            show(until)
        ),
        (Some(since), Some(until)) => {
            format!("searching from {} until {}", show(since), show(until))
        }
        (Some(since), None) => format!("searching from {}", show(since)),
        (None, Some(until)) => format!("searching until {}", show(until)),
        (None, None) => "searching all that is stored".to_owned(),
    }
}
