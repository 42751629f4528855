//! `maillog doctor`: what looks wrong in a log, or in what is stored.

use super::counted::many;
use super::output::of_table;
use super::stamp::Stamp;
use super::{Context as Run, Exit, scratch};
use crate::answers::Answers;
use crate::check::rows::{self, Behind};
use crate::check::{self, Check, Finding, ledger};
use crate::model::table::{Cell, Table};
use crate::render::{self, Format, escape};
use crate::store;
use anyhow::{Result, anyhow};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};

/// Report what looks wrong in a log or in the database
///
/// Checks log files without importing them, or the database. It reports lines without time or host, jumps in time,
/// messages that never end, delays that contradict the arrival, records that are stored twice, and lines that maillog
/// does not understand. It prints one line for each finding, with the command that shows more. `maillog ingest` runs the
/// same checks on what it has read.
///
/// Exit status 0: nothing looks wrong; 1: something looks wrong; 2: an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maillog doctor /var/log/mail.log*
  maillog doctor --show twice")]
pub struct Doctor {
    /// Files, directories or patterns; - for standard input; without any: the database
    #[arg(value_name = "FILE")]
    pub files: Vec<OsString>,
    /// List the rows that fail this check
    #[arg(long, value_name = "CHECK", value_parser = names())]
    pub show: Option<String>,
    /// Output format [default: one line for each finding]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Stamps without year or zone.
    #[command(flatten)]
    pub stamp: Stamp,
}

/// Returns the checks of which rows can be listed.
fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(rows::STATEMENTS.iter().map(|s| s.check.name()))
}

/// So many messages and refusals are looked at, the newest, so that it takes seconds whatever is stored.
const MOST: i64 = 1_000_000;
/// After an import so many: a share shows in some of them.
const MOST_OF_IMPORT: i64 = 200_000;

/// What is checked.
struct Patient {
    answers: Answers,
    behind: Behind,
    /// What was found already.
    findings: Vec<Finding>,
    /// In words.
    checked: String,
    is_whole: bool,
}

impl Doctor {
    /// Runs the command.
    ///
    /// # Errors
    /// When no input can be read or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        of_table(self.output)?;
        let patient = self.patient(run)?;
        if let Some(name) = &self.show {
            return self.list(name, &patient, run);
        }
        let select = |sql: &str, params: &[_]| patient.answers.select(sql, params);
        let mut findings = patient.findings;
        findings.extend(rows::findings(patient.behind, select)?);
        findings.sort_by_key(|finding| finding.check);
        for finding in &mut findings {
            self.name_files(finding);
        }
        let mut output = run.output(false);
        let style = output.style;
        if let Some(format) = self.output {
            render::table(&table(&findings), format, &style, output.writer())?;
        } else {
            write(&findings, &patient.checked, output.writer())?;
        }
        output.finish()?;
        Ok(match (patient.is_whole, findings.is_empty()) {
            (false, _) => Exit::Failed,
            (true, true) => Exit::Found,
            (true, false) => Exit::Nothing,
        })
    }

    fn patient(&self, run: &Run) -> Result<Patient> {
        if self.files.is_empty() {
            let answers = run.reader()?;
            let select = |sql: &str, params: &[_]| answers.select(sql, params);
            let last = Behind::of(&select(Behind::LAST, &[])?);
            let behind = last.before(MOST);
            let findings = ledger::findings(run.now, select)?;
            let part = if behind == Behind::default() {
                ""
            } else {
                ", the newest"
            };
            return Ok(Patient {
                checked: format!(
                    "{} and {} were checked{part}, and the counts of what was read",
                    counted(last.message - behind.message, "message"),
                    counted(last.refusal - behind.refusal, "refusal")
                ),
                answers,
                behind,
                findings,
                is_whole: true,
            });
        }
        let (answers, summary) = scratch::read(run, &self.files, self.stamp.options(run)?)?;
        Ok(Patient {
            answers,
            behind: Behind::default(),
            checked: format!(
                "{}, {} and {} were checked",
                many(summary.lines, "line"),
                many(summary.messages, "message"),
                many(summary.refusals, "refusal")
            ),
            is_whole: summary.failures.is_empty(),
            findings: summary.findings,
        })
    }

    /// Names the files in a command that would ask the database.
    fn name_files(&self, finding: &mut Finding) {
        if finding.source.is_none() {
            for file in &self.files {
                let name = check::quoted(&file.to_string_lossy());
                finding.command.push_str(&format!(" {name}"));
            }
        }
    }

    fn list(&self, name: &str, patient: &Patient, run: &Run) -> Result<Exit> {
        let check = Check::ALL.into_iter().find(|check| check.name() == name);
        let asked = check.and_then(|check| rows::show(check, patient.behind));
        let (sql, params) = asked.ok_or_else(|| {
            anyhow!("{name} is about lines, which are not stored: it has no rows to list")
        })?;
        let found = patient.answers.select(&sql, &params)?;
        let default = if std::io::stdout().is_terminal() {
            Format::Table
        } else {
            Format::Tsv
        };
        let mut output = run.output(true);
        let style = output.style;
        let format = self.output.unwrap_or(default);
        render::table(&found, format, &style, output.writer())?;
        output.finish()?;
        Ok(if found.rows.is_empty() {
            Exit::Found
        } else {
            Exit::Nothing
        })
    }
}

fn counted(n: i64, one: &str) -> String {
    many(u64::try_from(n).unwrap_or_default(), one)
}

/// Returns where a later look at what an import brings has to begin.
///
/// # Errors
/// When the database fails.
pub fn before_import(
    mut select: impl FnMut(&str) -> Result<Table, store::Error>,
) -> Result<Behind, store::Error> {
    select(Behind::LAST).map(|table| Behind::of(&table))
}

/// Returns what looks wrong in what an import brought.
///
/// # Errors
/// When the database fails.
pub fn after_import(
    behind: Behind,
    mut select: impl FnMut(&str, &[crate::model::table::Param]) -> Result<Table, store::Error>,
) -> Result<Vec<Finding>, store::Error> {
    let last = Behind::of(&select(Behind::LAST, &[])?);
    if last == behind {
        return Ok(Vec::new());
    }
    let newest = last.before(MOST_OF_IMPORT);
    let behind = Behind {
        message: behind.message.max(newest.message),
        refusal: behind.refusal.max(newest.refusal),
    };
    rows::findings(behind, select)
}

/// Writes a line for each finding, or that there is none.
fn write(findings: &[Finding], checked: &str, out: &mut dyn Write) -> Result<()> {
    for finding in findings {
        writeln!(out, "{}", escape::terminal(&finding.text()))?;
    }
    if findings.is_empty() {
        writeln!(out, "nothing looks wrong: {checked}")?;
    }
    Ok(())
}

/// Returns the findings as a table.
fn table(findings: &[Finding]) -> Table {
    let text = |text: &str| Cell::Text(text.to_owned());
    let number = |number: u64| Cell::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let row = |finding: &Finding| {
        vec![
            text(finding.check.name()),
            finding.source.as_deref().map_or(Cell::Null, text),
            number(finding.count),
            number(finding.of),
            text(&finding.sample),
            text(&finding.command),
            text(&finding.text()),
        ]
    };
    let columns = [
        "check", "source", "count", "of", "sample", "command", "text",
    ];
    Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: findings.iter().map(row).collect(),
    }
}
