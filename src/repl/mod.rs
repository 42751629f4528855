//! Repl: the SQL shell of a terminal.
//!
//! Statements end with `;` and may have several lines; lines that begin with `.` or `\` are for the shell. The
//! database is opened for each statement and left again, so that an open shell keeps nobody from writing.

mod dot;
mod editor;
mod foreign_words;
mod interrupt;
mod progress;
mod show;
mod text;
mod words;

use crate::answers::Answers;
use crate::model::table::{Param, Table};
use crate::nofollow::{self, Access, Folder, Kind};
use crate::notice;
use crate::render::{self, Format, Style, escape};
use crate::store::AsOwner;
use anyhow::{Context, Result, anyhow, bail};
use dot::Dot;
use editor::Edit;
pub use interrupt::Watch;
use rustyline::error::ReadlineError;
use show::Show;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;
use words::Words;

/// What the shell needs of the program around it.
pub struct Host<'a> {
    /// Opens the database, or reaches the service that holds it.
    pub open: &'a dyn Fn() -> Result<Answers>,
    /// Hands over stdout, through a pager where there is one.
    pub page: &'a Page<'a>,
    /// Runs a subcommand of maillog and tells what goes wrong.
    pub command: &'a dyn Fn(Vec<String>),
    /// Tells what went wrong.
    pub tell: &'a dyn Fn(&anyhow::Error),
    /// Where statements are remembered.
    pub history: Option<PathBuf>,
    /// Use colour.
    pub color: bool,
}

/// Gives a writer and its style to what writes.
pub type Page<'a> = dyn Fn(&mut dyn FnMut(&Style, &mut dyn Write) -> Result<()>) -> Result<()> + 'a;

/// Cuts a text into its statements, for one that is not typed but given.
#[must_use]
pub fn statements(text: &str) -> Vec<&str> {
    let (mut statements, rest) = text::split(text);
    if !rest.is_empty() {
        statements.push(rest);
    }
    statements
}

/// Returns the names of the shell's own commands with one line each.
#[must_use]
pub fn commands() -> Vec<(String, String)> {
    dot::commands()
}

/// Returns whether the text is a command of the shell, such as `\\dt` or `.tables`.
#[must_use]
pub fn is_command(text: &str) -> bool {
    text.trim().starts_with(['.', '\\']) && dot::is_command(text)
}

/// Runs one command of the shell without the shell, as `psql -c` does.
///
/// # Errors
/// When there is no such command, or what it asks fails.
pub fn command(host: &Host<'_>, line: &str) -> Result<()> {
    Shell::new(host, Watch::default()).take(line).map(drop)
}

/// Returns the statement whose plan is asked for by `EXPLAIN`, and whether it is to be run (`EXPLAIN ANALYZE`).
#[must_use]
pub fn explained(statement: &str) -> Option<(&str, bool)> {
    let rest = after(statement, "explain")?;
    Some(after(rest, "analyze").map_or((rest, false), |rest| (rest, true)))
}

/// Returns what follows the word that the text begins with.
fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (first, rest) = text.trim().split_once(char::is_whitespace)?;
    first.eq_ignore_ascii_case(word).then_some(rest.trim())
}

/// Writes a plan, as [`Answers::explain`] gives it.
///
/// # Errors
/// When `out` does not take it.
pub fn write_plan(plan: &Table, out: &mut dyn Write) -> std::io::Result<()> {
    for row in &plan.rows {
        if let Some(crate::model::table::Cell::Text(text)) = row.last() {
            for line in text.lines() {
                writeln!(out, "{}", escape::terminal(line))?;
            }
        }
    }
    Ok(())
}

/// Reads and answers until the user leaves; `watch` waits for Ctrl-C.
///
/// # Errors
/// When the database cannot be opened at the start, or the terminal fails.
pub fn run(host: &Host<'_>, watch: Watch) -> Result<()> {
    let words = words(host)?;
    let mut editor = editor::new(words, host.color).context("cannot use the terminal")?;
    if let Some(file) = &host.history {
        // Without a history there is still a shell.
        let _ = recall(&mut editor, file);
    }
    notice::block(
        "maillog SQL, read-only. End each statement with ; (.help lists the commands, .exit leaves)",
    );
    let mut shell = Shell::new(host, watch);
    let ended = shell.read(&mut editor);
    if let Some(file) = &host.history
        && let Err(error) = remember(&mut editor, file)
    {
        notice::say(&format!("cannot write {}: {error}", file.display()));
    }
    ended
}

/// Loads what can be completed.
fn words(host: &Host<'_>) -> Result<Words> {
    let store = (host.open)()?;
    Ok(Words::new(
        &store.select(words::COLUMNS, &[])?,
        &store.select(words::FUNCTIONS, &[])?,
    ))
}

/// Reads the history, if it is a plain file of the user's.
fn recall(editor: &mut Edit, file: &Path) -> Result<()> {
    nofollow::check(file, Kind::File, Access::Write, &Folder::of(file)?)?;
    editor.load_history(file)?;
    Ok(())
}

/// Statements may hold addresses: only their author may read the file. Root may have the home of another user: that
/// user can put a link there, so it is written with no other rights.
fn remember(editor: &mut Edit, file: &Path) -> Result<()> {
    let _owner = AsOwner::of(file)?;
    let mut directories = DirBuilder::new();
    directories
        .recursive(true)
        .mode(0o700)
        .create(nofollow::directory(file))?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    let opened = nofollow::open(file, Access::Write, &mut options)?;
    opened.set_permissions(Permissions::from_mode(0o600))?;
    editor.save_history(file)?;
    Ok(())
}

struct Shell<'a> {
    host: &'a Host<'a>,
    watch: Watch,
    show: Show,
    /// The last statement, for `.edit`.
    last: String,
}

/// In front of the first line of a statement, and of the others.
const PROMPT: &str = "maillog> ";
const GOES_ON: &str = "    ...> ";

/// Reads a command, or lines up to the end of a statement.
fn statement(editor: &mut Edit) -> Result<String, ReadlineError> {
    let mut all = String::new();
    loop {
        if let Some(assistant) = editor.helper_mut() {
            assistant.before.clone_from(&all);
        }
        let line = editor.readline(if all.is_empty() { PROMPT } else { GOES_ON })?;
        if all.is_empty() && (dot::is_command(&line) || line.trim().is_empty()) {
            return Ok(line);
        }
        if dot::is_command(&line) && !text::is_inside(&all) {
            notice::say(&format!(
                "cannot run {}: the statement before it is not finished",
                escape::terminal(line.trim())
            ));
            notice::hint("end the statement with ; or drop it with Ctrl-C");
            continue;
        }
        all.push_str(&line);
        if text::is_complete(&all) {
            return Ok(all);
        }
        all.push('\n');
    }
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Leave,
}

impl<'a> Shell<'a> {
    fn new(host: &'a Host<'a>, watch: Watch) -> Self {
        Self {
            host,
            watch,
            show: Show::default(),
            last: String::new(),
        }
    }
    fn read(&mut self, editor: &mut Edit) -> Result<()> {
        loop {
            let input = match statement(editor) {
                Ok(input) => input,
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(error).context("cannot read from the terminal"),
            };
            if input.trim().is_empty() {
                continue;
            }
            // A history that cannot grow is no reason to stop.
            let _ = editor.add_history_entry(&input);
            match self.take(&input) {
                Ok(Next::Leave) => return Ok(()),
                Ok(Next::Go) => {}
                Err(error) => (self.host.tell)(&error),
            }
        }
    }

    fn take(&mut self, input: &str) -> Result<Next> {
        if dot::is_command(input) {
            let command = dot::parse(input).map_err(|wrong| anyhow!(wrong))?;
            return self.command(command);
        }
        self.statements(input)?;
        Ok(Next::Go)
    }

    fn statements(&mut self, text: &str) -> Result<()> {
        text.clone_into(&mut self.last);
        for statement in statements(text) {
            if let Some((explained, is_run)) = explained(statement) {
                self.explain(explained, is_run)?;
                continue;
            }
            let start = Instant::now();
            let table = self.ask(|store| store.select_once(statement, &[]))?;
            let table = render::local::readings(statement, table, self.show.format);
            self.show.table(&table, start.elapsed(), self.host)?;
        }
        Ok(())
    }

    /// Opens the database and asks; Ctrl-C ends the query.
    fn ask(
        &self,
        question: impl FnOnce(&Answers) -> Result<Table, crate::store::Error>,
    ) -> Result<Table> {
        let store = (self.host.open)()?;
        let interrupt = store.interrupt();
        let waiting = progress::Waiting::start();
        let answer = self
            .watch
            .during(move || interrupt.interrupt(), || question(&store));
        drop(waiting);
        Ok(answer?)
    }

    fn command(&mut self, command: Dot) -> Result<Next> {
        match command {
            Dot::Exit => return Ok(Next::Leave),
            Dot::Help { name } => self.help(name.as_deref())?,
            Dot::Tables { pattern } => self.list(TABLES, &like(pattern.as_deref()))?,
            Dot::Schema { table: None } => self.list(TABLES, "%")?,
            Dot::Schema { table: Some(table) } => self.columns(&table)?,
            Dot::Mode { format } => self.mode(format)?,
            Dot::Expanded { when } => self.expanded(when),
            Dot::Output { file } => self.show.send_to(file)?,
            Dot::Timer { switch } => {
                self.show.timer = dot::Switch::apply(switch, self.show.timer);
                let state = if self.show.timer { "on" } else { "off" };
                notice::block(&format!("timer {state}"));
            }
            Dot::Explain(words) => {
                let words = words.words.join(" ");
                match after(&words, "analyze") {
                    Some(statement) => self.explain(statement, true)?,
                    None => self.explain(&words, false)?,
                }
            }
            Dot::Find(words) => self.subcommand("find", words.words),
            Dot::Query(words) => self.subcommand("query", words.words),
            Dot::Edit => self.edit()?,
            Dot::Read { file } => {
                let text =
                    fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
                self.statements(&text)?;
            }
        }
        Ok(Next::Go)
    }

    fn subcommand(&self, name: &str, words: Vec<String>) {
        let mut arguments = vec![name.to_owned()];
        arguments.extend(words);
        (self.host.command)(arguments);
    }

    fn help(&self, name: Option<&str>) -> Result<()> {
        let text = match name {
            Some(name) => dot::help(name).map_err(|wrong| anyhow!(wrong))?,
            None => dot::commands()
                .into_iter()
                .map(|(name, about)| format!("{name:<10}  {about}\n"))
                .collect(),
        };
        (self.host.page)(&mut |_, out| Ok(out.write_all(text.as_bytes())?))
    }

    fn list(&mut self, sql: &str, pattern: &str) -> Result<()> {
        let start = Instant::now();
        let pattern = Param::Text(pattern.to_owned());
        let table = self.ask(|store| store.select(sql, &[pattern]))?;
        self.show.table(&table, start.elapsed(), self.host)
    }

    fn columns(&mut self, table: &str) -> Result<()> {
        let start = Instant::now();
        let name = Param::Text(table.to_owned());
        let columns = self.ask(|store| store.select(COLUMNS, &[name]))?;
        if columns.rows.is_empty() {
            bail!(
                "no table or view {}; .tables lists them",
                escape::terminal(table)
            );
        }
        self.show.table(&columns, start.elapsed(), self.host)
    }

    fn mode(&mut self, format: Option<Format>) -> Result<()> {
        use clap::ValueEnum as _;
        match format {
            Some(
                form @ (Format::Table | Format::Record | Format::Json | Format::Csv | Format::Tsv),
            ) => self.show.format = form,
            Some(_) => bail!("this format is for .find only; use table, record, json, csv or tsv"),
            None => {
                let name = self.show.format.to_possible_value();
                notice::block(name.as_ref().map_or("table", |value| value.get_name()));
            }
        }
        Ok(())
    }

    fn expanded(&mut self, when: Option<dot::Expanded>) {
        use dot::Expanded::{Off, On};
        self.show.expanded = when.unwrap_or(if self.show.expanded == On { Off } else { On });
        let state = match self.show.expanded {
            On => "on",
            Off => "off",
            dot::Expanded::Auto => "auto",
        };
        notice::block(&format!("expanded {state}"));
    }

    fn explain(&mut self, statement: &str, is_run: bool) -> Result<()> {
        let statement = statement.trim().trim_end_matches(';').to_owned();
        if statement.is_empty() {
            bail!(".explain needs a statement");
        }
        let plan = self.ask(|store| store.explain(&statement, is_run))?;
        (self.host.page)(&mut |_, out| Ok(write_plan(&plan, out)?))
    }

    /// Lets `$VISUAL`, `$EDITOR` or vi change the last statement, and runs what comes back.
    fn edit(&mut self) -> Result<()> {
        let named = ["VISUAL", "EDITOR"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        let editor = named.unwrap_or_else(|| "vi".to_owned());
        let directory = private_directory()?;
        let file = directory.join("statement.sql");
        let edited = fs::write(&file, format!("{}\n", self.last.trim()))
            .and_then(|()| {
                std::process::Command::new("sh")
                    .arg("-c")
                    .arg(format!("{editor} \"$1\""))
                    .arg("sh")
                    .arg(&file)
                    .status()
            })
            .with_context(|| format!("cannot start {editor}"))
            .and_then(|status| {
                if status.success() {
                    fs::read_to_string(&file).context("cannot read the edited statement")
                } else {
                    bail!("{editor} failed; the statement was not run")
                }
            });
        let _ = fs::remove_dir_all(&directory);
        let text = edited?;
        if text.trim() == self.last.trim() {
            return Ok(());
        }
        notice::block(text.trim());
        self.statements(&text)
    }
}

/// Makes a directory that nobody else can look into.
fn private_directory() -> Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("maillog-{}", std::process::id()));
    DirBuilder::new()
        .mode(0o700)
        .create(&path)
        .with_context(|| format!("cannot make {}", path.display()))?;
    Ok(path)
}

/// Returns the pattern as one of LIKE.
fn like(pattern: Option<&str>) -> String {
    pattern.map_or_else(
        || "%".to_owned(),
        |p| p.replace('_', "\\_").replace('*', "%").replace('?', "_"),
    )
}

/// Tables and views with their sizes; rows as estimated by DuckDB.
const TABLES: &str = "\
SELECT table_name AS name, 'table' AS type, estimated_size AS rows, column_count AS columns
FROM duckdb_tables()
WHERE NOT internal AND table_name LIKE $1 ESCAPE '\\'
UNION ALL
SELECT view_name, 'view', NULL, column_count
FROM duckdb_views()
WHERE NOT internal AND view_name LIKE $1 ESCAPE '\\'
ORDER BY ALL";

/// Columns of one table or view.
const COLUMNS: &str = "\
SELECT column_name AS \"column\", data_type AS type, is_nullable AS \"null\"
FROM duckdb_columns()
WHERE NOT internal AND table_name = $1
ORDER BY column_index";
