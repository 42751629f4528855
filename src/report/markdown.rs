//! Markdown: tables of GitHub's dialect, for tickets and wikis.
//!
//! Every text is escaped, so that it is shown as it is and makes no link, picture, table or HTML of its own; addresses alone may become
//! links where the reader makes links of addresses.

use super::{Report, Section};
use crate::render::{Style, escape};
use std::io::{self, Write};

/// Writes the report.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n", text(&report.title))?;
    for note in &report.notes {
        let mark = if note.is_fault { "**" } else { "" };
        writeln!(out, "{mark}{}{mark}\n", text(&note.text))?;
    }
    writeln!(out, "## What changed\n")?;
    if report.changes.is_empty() {
        writeln!(out, "{}", report.nothing_changed())?;
    }
    for change in &report.changes {
        write!(out, "- {}", text(&change.sentence()))?;
        match &change.find {
            Some(find) => writeln!(out, ": {}", code(find))?,
            None => writeln!(out)?,
        }
    }
    if report.more_changes > 0 {
        writeln!(out, "- and {} more", report.more_changes)?;
    }
    let mut part = None;
    for section in report.shown() {
        if part != Some(section.part) {
            part = Some(section.part);
            writeln!(out, "\n## {}", section.part.title())?;
        }
        self::section(section, report, out)?;
    }
    Ok(())
}

fn section(section: &Section, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n### {}\n", text(&section.title))?;
    if section.table.rows.is_empty() {
        return writeln!(out, "None.");
    }
    let has_finds = section.finds.iter().any(Option::is_some);
    let columns = section.table.columns.len();
    for at in 0..columns {
        write!(out, "| {} ", text(&section.head(at)))?;
    }
    writeln!(out, "{}", if has_finds { "| query |" } else { "|" })?;
    for at in 0..columns {
        out.write_all(if section.is_numeric(at) {
            b"| ---: "
        } else {
            b"| --- "
        })?;
    }
    writeln!(out, "{}", if has_finds { "| --- |" } else { "|" })?;
    let style = Style {
        zone: report.zone(),
        ..Style::default()
    };
    for (i, row) in section.table.rows.iter().enumerate() {
        for cell in row {
            write!(out, "| {} ", text(&super::shown_cell(cell, &style)))?;
        }
        let find = section.finds.get(i).and_then(Option::as_ref);
        match find {
            Some(find) => writeln!(out, "| {} |", code(find))?,
            None if has_finds => writeln!(out, "| |")?,
            None => writeln!(out, "|")?,
        }
    }
    if let Some(more) = &section.more {
        writeln!(out, "\n{}: {}", text(&more.words()), code(&more.command))?;
    }
    Ok(())
}

/// Returns the text with everything escaped that Markdown could take for something else.
fn text(text: &str) -> String {
    let text = escape::terminal(text);
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        let is_special = c.is_ascii_punctuation() && !matches!(c, ',' | ';' | '/' | '%' | '?');
        // These mean nothing between letters, and reading is better without.
        let is_mild = matches!(c, '.' | '-' | '(' | ')' | '@' | '\'' | '"')
            && shown.ends_with(|before: char| before.is_alphanumeric())
            && !shown.to_ascii_lowercase().ends_with("www");
        let is_number = c == '.' && shown.chars().all(|before| before.is_ascii_digit());
        if is_special && (!is_mild || is_number) {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

/// Returns the text as code, also within a table.
fn code(text: &str) -> String {
    let text = escape::terminal(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}
