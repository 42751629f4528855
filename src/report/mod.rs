//! Report: what happened in a span, as a typed value, and its writers. Pure: no database, clock, file or terminal.
//!
//! [`crate::ask::summary::SummaryRequest::report`] asks the database and makes a [`Report`] of the answers. [`Report::html`] and
//! [`Report::text`] are all that a mail needs; [`Report::title`] is its subject, [`Report::has_problems`] says whether anybody must read it.
//!
//! | file | duty |
//! |---|---|
//! | `span` | the time that is reported, what it is compared with, and how both are named |
//! | `usual` | which figures left their usual range |
//! | `changes` | what changed, in one sentence each |
//! | `finds` | the `maillog find` command behind a row |
//! | `average` | hours of many days as an average day |
//! | `picture` | which picture belongs to a section |
//! | `draw` | a picture as SVG |
//! | `text`, `html`, `markdown`, `json` | the writers |
//!
//! Everything that a log can bring stays text: each writer escapes all cells, titles and commands.

pub mod average;
pub mod changes;
mod draw;
pub mod finds;
mod html;
mod json;
mod markdown;
pub mod picture;
pub mod span;
#[cfg(test)]
mod tests;
mod text;
pub mod usual;

pub use text::TextStyle;

use crate::model::table::{Cell, Table};
use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use crate::render::{self, Style};
use changes::Change;
use picture::Picture;
use span::Span;
use std::io::{self, Write};

/// What happened in a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One line: the subject of a mail.
    pub title: String,
    /// The time that is reported.
    pub span: Span,
    /// What was read of it, and what it is compared with: a sentence each.
    pub notes: Vec<Note>,
    /// What left its usual range, the most important first.
    pub changes: Vec<Change>,
    /// How many more there are, beside those in `changes`.
    pub more_changes: usize,
    /// Whether enough is known of before to say what is usual.
    pub is_compared: bool,
    /// Sections in the order of reading: figures, failures, the rest.
    pub sections: Vec<Section>,
    /// Whether sections without rows are left out.
    pub no_empty: bool,
}

/// A sentence about the report itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The sentence.
    pub text: String,
    /// Whether it says that the report cannot be trusted: log is missing.
    pub is_fault: bool,
}

impl Note {
    /// Makes a plain one.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_fault: false,
        }
    }

    /// Makes one that says that something is missing.
    #[must_use]
    pub fn fault(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_fault: true,
        }
    }
}

/// Where in the report a section stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Figures beside those of before.
    Compared,
    /// What went wrong.
    Failures,
    /// Everything else.
    #[default]
    Rest,
}

impl Part {
    /// Returns the heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Compared => "Compared",
            Self::Failures => "Failures",
            Self::Rest => "Traffic",
        }
    }

    /// Returns the word for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compared => "compared",
            Self::Failures => "failures",
            Self::Rest => "rest",
        }
    }
}

/// A table with its title.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// Name of the canned query, or of what else the rows come from.
    pub name: String,
    /// Heading.
    pub title: String,
    /// Where it stands.
    pub part: Part,
    /// The rows; names of columns are keys for programs.
    pub table: Table,
    /// Headings of the columns for eyes; empty: their names.
    pub heads: Vec<String>,
    /// Columns with a bar beside them on a terminal.
    pub bars: Vec<String>,
    /// Columns with a list of numbers, for a sparkline.
    pub sparks: Vec<String>,
    /// The picture of the numbers, if they have one.
    pub picture: Option<Picture>,
    /// The `maillog find` command behind each row, if there is one.
    pub finds: Vec<Option<String>>,
    /// What was cut.
    pub more: Option<More>,
}

/// Rows that are not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct More {
    /// How many; none where nobody counted them.
    pub rows: Option<u64>,
    /// The command that lists all.
    pub command: String,
}

impl More {
    /// Returns the words: `and 12 more`.
    #[must_use]
    pub fn words(&self) -> String {
        match self.rows {
            Some(rows) => format!("and {rows} more"),
            None => "and more".to_owned(),
        }
    }
}

impl Section {
    /// Returns the heading of a column for eyes.
    #[must_use]
    fn head(&self, column: usize) -> String {
        let name = || {
            let name = self.table.columns.get(column);
            name.map(|name| name.replace('_', " ")).unwrap_or_default()
        };
        self.heads.get(column).cloned().unwrap_or_else(name)
    }

    /// Returns whether the column has numbers only.
    fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self.table.rows.iter().filter_map(|row| row.get(column));
        cells.all(|cell| {
            matches!(
                cell,
                Cell::Int(_) | Cell::Big(_) | Cell::Float(_) | Cell::Null
            )
        })
    }
}

impl Report {
    /// Returns whether somebody should read it: something left its usual range, log is missing, or Postfix had a fatal error.
    #[must_use]
    pub fn has_problems(&self) -> bool {
        let is_fatal = |section: &Section| {
            matches!(section.name.as_str(), "fatals" | "panics") && !section.table.rows.is_empty()
        };
        !self.changes.is_empty()
            || self.notes.iter().any(|note| note.is_fault)
            || self.sections.iter().any(is_fatal)
    }

    /// Returns the report as one HTML page without outside resources.
    #[must_use]
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// Returns the report as text without colour, as wide as it gets, for a mail.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        // Writing into a vector cannot fail.
        let _: io::Result<()> = self.write_text(&TextStyle::plain(self.span.zone), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Writes the report as text.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn write_text(&self, style: &TextStyle, out: &mut dyn Write) -> io::Result<()> {
        text::write(self, style, out)
    }

    /// Writes the report as Markdown (GitHub's, with tables).
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn write_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        markdown::write(self, out)
    }

    /// Writes one JSON object a line: the report, what changed, and each section.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::write(self, out)
    }

    /// Returns the sentence where nothing changed.
    fn nothing_changed(&self) -> &'static str {
        if self.is_compared {
            "Nothing left its usual range."
        } else {
            "Not compared: too little is known of the time before."
        }
    }

    /// Returns the sections that are shown.
    fn shown(&self) -> impl Iterator<Item = &Section> {
        let is_shown = |section: &&Section| !self.no_empty || !section.table.rows.is_empty();
        self.sections.iter().filter(is_shown)
    }

    /// Returns the zone of the times shown.
    fn zone(&self) -> Zone {
        self.span.zone
    }
}

/// Returns a cell for eyes: of times no fraction, which nobody reads here.
fn shown_cell(cell: &Cell, style: &Style) -> String {
    match cell {
        Cell::Time(time) => {
            let whole = Time(time.0.saturating_sub(time.0.rem_euclid(SECOND)));
            render::cell(&Cell::Time(whole), style)
        }
        cell => render::cell(cell, style),
    }
}
