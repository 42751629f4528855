//! `maillog queue show`: all of one mail, the present state on top of the story that the log tells.

use super::super::story as prose;
use super::super::{Context as Run, Exit};
use super::load::{self, Loaded};
use super::options::{Form, Shared, query_options};
use super::{history, list};
use crate::ask::Ask;
use crate::ask::story::{Focus, Stories, column, int};
use crate::notice;
use crate::query;
use crate::queue::filter::{Filter, Present};
use crate::queue::select;
use crate::queue::{Mail, sheet};
use crate::render::{self, Format, Style, queue};
use anyhow::Result;
use clap::Args;
use std::io::Write;

/// Tell all of one mail.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Queue ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Show the headers of the queue file, too (root only)
    #[arg(long)]
    headers: bool,
}

impl Show {
    /// Runs the subcommand.
    pub(super) fn run(&self, shared: &Shared, run: &Run) -> Result<Exit> {
        let wanted = self.ids.iter().map(|id| select::qid(trimmed(id))).collect();
        let mut present = Present::new(run.now, run.zone);
        let Loaded { mut mails, .. } =
            load::load(&Filter::Or(wanted), true, shared, run, &mut present)?;
        if shared.reads_files(run) {
            load::read_files(&mut mails, shared, run)?;
        }
        let form = shared.output.unwrap_or(Form::Story);
        let mut output = run.output(form == Form::Story);
        let style = output.style;
        if form == Form::Story {
            for (place, mail) in mails.iter().enumerate() {
                if place > 0 {
                    writeln!(output.writer())?;
                }
                self.story(mail, &mut present, shared, run, &style, output.writer())?;
            }
        } else if self.headers && matches!(form, Form::Json | Form::Csv | Form::Tsv) {
            let mut table = sheet::table(&mails, &mut present);
            sheet::add_headers(&mut table, &mails);
            render::table(&table, list::format(form), &style, output.writer())?;
        } else {
            list::write(&mails, form, false, &style, &mut present, output.writer())?;
        }
        let is_queued = |id: &&String| mails.iter().any(|mail| mail.queue_id == trimmed(id));
        let missing: Vec<&String> = self.ids.iter().filter(|id| !is_queued(id)).collect();
        for id in &missing {
            Self::gone(trimmed(id), shared, run, &style, output.writer())?;
        }
        output.finish()?;
        Ok(if missing.is_empty() {
            Exit::Found
        } else {
            Exit::Nothing
        })
    }

    fn story(
        &self,
        mail: &Mail,
        present: &mut Present,
        shared: &Shared,
        run: &Run,
        style: &Style,
        out: &mut dyn Write,
    ) -> Result<()> {
        queue::state(mail, present, style, out)?;
        if self.headers {
            writeln!(out)?;
            if mail.headers.is_none() {
                writeln!(out, "  headers: only root may read the queue file")?;
            }
            queue::headers(mail, style, out)?;
        }
        let Some(known) = &mail.history else {
            return Ok(());
        };
        if let Some(removed) = known.removed {
            let removed = style.zone.show(removed);
            writeln!(
                out,
                "\n  the log says that it left the queue at {removed} ({})",
                known.status
            )?;
        }
        writeln!(out)?;
        let root = known.root_id;
        Self::told(&mail.queue_id, Some(root), shared, run, style, out)?;
        Ok(())
    }

    /// Writes what the log tells of the id; returns whether it knows it.
    fn told(
        id: &str,
        root: Option<i64>,
        shared: &Shared,
        run: &Run,
        style: &Style,
        out: &mut dyn Write,
    ) -> Result<bool> {
        let Some(answers) = history::open(shared, run) else {
            return Ok(false);
        };
        let plan = query::compile_text(
            &format!("qid:{}", query::ast::quoted(id)),
            &query_options(run),
        )?;
        let mut hits = answers.find_all(&plan)?;
        if let Some(root) = root {
            // An id may have been another mail's before.
            let place = column(&hits, "root_id");
            hits.rows.retain(|row| int(row, place) == Some(root));
        }
        let stories = Stories::of(&answers, &hits, &Focus::default())?;
        prose::write(&stories, &hits, Format::Story, style, out)?;
        Ok(!hits.rows.is_empty())
    }

    fn gone(
        id: &str,
        shared: &Shared,
        run: &Run,
        style: &Style,
        out: &mut dyn Write,
    ) -> Result<()> {
        notice::say(&format!("{id} is not in the queue"));
        if !shared.is_live() {
            return Ok(());
        }
        if !Self::told(id, None, shared, run, style, out)? && !shared.no_history {
            notice::say(&format!("the log does not know {id} either"));
        }
        Ok(())
    }
}

/// Takes off the flags that listings put behind an id.
fn trimmed(id: &str) -> &str {
    id.trim().trim_end_matches(['*', '!', '#'])
}
