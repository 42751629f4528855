//! Request: a search as it is handed to whoever has the database, to be compiled there. Nothing of it is SQL.

use super::found::Slice;
use super::writer::Statement;
use super::{Error, Options, Plan, compile_text, count_by};
use crate::model::time::Time;
use crate::model::zone::Zone;
use serde::{Deserialize, Serialize};

/// How a request begins where statements are expected.
pub const WORD: &str = "maillog_find ";

/// What of a search is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// All rows, whole: a statement for few.
    Rows,
    /// What is found in a part of all times, by ids; with a limit the newest: see [`Search::ids`](super::Search::ids).
    Ids {
        /// The part.
        slice: Slice,
        /// At most this many.
        limit: Option<u64>,
    },
    /// How many are found in a part of all times.
    Count {
        /// The part.
        slice: Slice,
    },
    /// How many hits each value of a field has.
    CountBy {
        /// Name of the field.
        field: String,
        /// At most this many values.
        top: Option<u64>,
    },
}

/// A search and what is wanted of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    text: String,
    now: i64,
    zone: String,
    since: Option<String>,
    until: Option<String>,
    all: bool,
    limit: Option<u64>,
    all_hops: bool,
    wanted: Wanted,
}

impl Plan {
    /// Returns the statement for what is wanted.
    #[must_use]
    pub fn statement(&self, wanted: &Wanted) -> Statement {
        match wanted {
            Wanted::Rows | Wanted::CountBy { .. } => Statement {
                sql: self.sql.clone(),
                params: self.params.clone(),
            },
            Wanted::Ids { slice, limit } => self.search.ids(*slice, *limit),
            Wanted::Count { slice } => self.search.count(*slice),
        }
    }

    /// Returns the request for what is wanted, as text.
    #[must_use]
    pub fn request(&self, wanted: &Wanted) -> String {
        let options = &self.options;
        let request = Request {
            text: self.text.clone(),
            now: options.now.0,
            zone: options.zone.written(),
            since: options.since.clone(),
            until: options.until.clone(),
            all: options.all,
            limit: options.limit,
            all_hops: options.all_hops,
            wanted: match (&self.counted, wanted) {
                (Some((field, top)), Wanted::Rows) => Wanted::CountBy {
                    field: field.clone(),
                    top: *top,
                },
                _ => wanted.clone(),
            },
        };
        format!(
            "{WORD}{}",
            serde_json::to_string(&request).unwrap_or_default()
        )
    }
}

impl Request {
    /// Reads the text of a request; none when it is something else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text.strip_prefix(WORD)?).ok()
    }

    /// Returns the text of the search.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Compiles the search.
    ///
    /// # Errors
    /// When the text is no query.
    pub fn statement(&self) -> Result<Statement, Error> {
        let options = Options {
            now: Time(self.now),
            zone: Zone::of_text(&self.zone).unwrap_or(Zone::UTC),
            since: self.since.clone(),
            until: self.until.clone(),
            all: self.all,
            limit: self.limit,
            all_hops: self.all_hops,
        };
        let plan = if self.text.is_empty() {
            super::compile::<&str>(&[], &options)?
        } else {
            compile_text(&self.text, &options)?
        };
        Ok(match &self.wanted {
            Wanted::CountBy { field, top } => count_by(plan, field, *top)?.statement(&Wanted::Rows),
            wanted => plan.statement(wanted),
        })
    }
}
