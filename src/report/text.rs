//! Text: the report for a terminal and for the plain part of a mail.

use super::{Part, Report, Section};
use crate::model::zone::Zone;
use crate::render::{self, Format, Marks, Style, escape};
use std::io::{self, Write};

/// How the text is drawn.
#[derive(Debug, Clone, Copy)]
pub struct TextStyle {
    /// Width, colour and zone.
    pub style: Style,
    /// The reader's screen knows no block characters.
    pub is_ascii: bool,
    /// The `find` command of each row below its table.
    pub with_finds: bool,
}

impl TextStyle {
    /// Returns that of a file: no colour, as wide as it gets.
    #[must_use]
    pub fn plain(zone: Zone) -> Self {
        Self {
            style: Style {
                zone,
                ..Style::default()
            },
            is_ascii: false,
            with_finds: false,
        }
    }
}

/// Writes the report.
pub(super) fn write(report: &Report, style: &TextStyle, out: &mut dyn Write) -> io::Result<()> {
    heading(&report.title, '=', out)?;
    for note in &report.notes {
        let mark = if note.is_fault { "! " } else { "" };
        sentence(mark, &note.text, style, out)?;
    }
    writeln!(out)?;
    changed(report, style, out)?;
    let mut part = Part::Compared;
    for section in report.shown() {
        writeln!(out)?;
        if part != section.part {
            part = section.part;
            heading(part.title(), '=', out)?;
            writeln!(out)?;
        }
        self::section(section, style, out)?;
    }
    Ok(())
}

fn heading(title: &str, line: char, out: &mut dyn Write) -> io::Result<()> {
    let title = escape::terminal(title);
    let line = line.to_string().repeat(title.chars().count());
    writeln!(out, "{title}\n{line}")
}

/// Writes a sentence in as many lines as it needs.
fn sentence(mark: &str, text: &str, style: &TextStyle, out: &mut dyn Write) -> io::Result<()> {
    let text = escape::terminal(text);
    let mut start = mark.to_owned();
    for line in render::broken(&text, mark.len(), style.style.width) {
        writeln!(out, "{start}{}", line.trim_end())?;
        start = " ".repeat(mark.len());
    }
    Ok(())
}

fn changed(report: &Report, style: &TextStyle, out: &mut dyn Write) -> io::Result<()> {
    if report.changes.is_empty() {
        return writeln!(out, "{}", report.nothing_changed());
    }
    heading("What changed", '=', out)?;
    for change in &report.changes {
        sentence("* ", &change.sentence(), style, out)?;
        if let Some(find) = &change.find {
            // A command is copied: it is never broken.
            writeln!(out, "    {}", escape::terminal(find))?;
        }
    }
    if report.more_changes > 0 {
        writeln!(out, "* and {} more", report.more_changes)?;
    }
    Ok(())
}

fn section(section: &Section, style: &TextStyle, out: &mut dyn Write) -> io::Result<()> {
    if section.table.rows.is_empty() {
        return writeln!(out, "{}: none", escape::terminal(&section.title));
    }
    heading(&section.title, '-', out)?;
    let names = |names: &[String]| -> Vec<String> { names.to_vec() };
    let (bars, sparks) = (names(&section.bars), names(&section.sparks));
    let bars: Vec<&str> = bars.iter().map(String::as_str).collect();
    let sparks: Vec<&str> = sparks.iter().map(String::as_str).collect();
    let marks = Marks {
        bars: &bars,
        sparks: &sparks,
        is_ascii: style.is_ascii,
    };
    let mut table = section.table.clone();
    if !section.heads.is_empty() {
        table.columns.clone_from(&section.heads);
    }
    render::marked(&table, &marks, Format::Table, &style.style, out)?;
    if let Some(more) = &section.more {
        writeln!(out, "{}: {}", more.words(), escape::terminal(&more.command))?;
    }
    if style.with_finds {
        for find in section.finds.iter().flatten() {
            writeln!(out, "    {}", escape::terminal(find))?;
        }
    }
    Ok(())
}
