//! `maillog queue hold|release|requeue|delete|expire|flush`: a plan, a question, a second look, and then Postfix does it.

use super::super::{Context as Run, Exit};
use super::load::{self, Loaded};
use super::options::Shared;
use crate::client::Client;
use crate::model::audit::AuditRow;
use crate::model::scope::Scope;
use crate::notice;
use crate::queue::Mail;
use crate::queue::action::{self, Checked, Record, Verb};
use crate::queue::filter::Present;
use crate::queue::postfix::Said;
use crate::render::queue;
use crate::store::{self, Store};
use anyhow::{Context, Result, bail};
use clap::Args;
use nix::unistd::{Uid, User};
use std::io::{BufRead, IsTerminal};
use std::path::Path;

/// Mails of a plan that are shown.
const SHOWN: usize = 10;

/// Lines of what Postfix said that are shown; one a mail is its habit.
const MOST_LINES: usize = 20;

/// Do something to mails.
#[derive(Debug, Args)]
pub(super) struct Act {
    /// Which mails
    #[arg(value_name = "TERM")]
    terms: Vec<String>,
    /// Do it without asking; needed where there is no terminal
    #[arg(long)]
    yes: bool,
    /// Every mail in the queue
    #[arg(long)]
    all: bool,
    /// Only tell what would be done
    #[arg(short = 'N', long)]
    dry_run: bool,
}

/// How it is made sure that it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// Somebody said so.
    Given,
    /// Ask on the terminal.
    Ask,
    /// Only the plan.
    Refused,
}

impl Act {
    /// Runs the subcommand.
    pub(super) fn run(&self, verb: Verb, shared: &Shared, run: &Run) -> Result<Exit> {
        if !shared.is_live() {
            bail!("a saved listing cannot be changed: leave out --from-file");
        }
        if shared.limit.is_some() {
            bail!(
                "--limit is for lists, an action takes all that fits: name the mails with terms or --qid"
            );
        }
        let filter = shared.filter(&self.terms, run)?;
        if filter.is_all() && !self.all {
            bail!(
                "name the mails to {}; --all is every mail in the queue",
                verb.name()
            );
        }
        let consent = match (self.dry_run, self.yes) {
            (true, _) => Consent::Refused,
            (false, true) => Consent::Given,
            (false, false) => Consent::Ask,
        };
        if consent != Consent::Refused {
            is_allowed(run)?;
        }
        let mut present = Present::new(run.now, run.zone);
        let Loaded { mails, .. } = load::load(&filter, false, shared, run, &mut present)?;
        let query = if filter.is_all() {
            "--all".to_owned()
        } else {
            shared.words(&self.terms)
        };
        perform(verb, mails, consent, &query, shared, run)
    }
}

/// Refuses who may not change the queue.
pub(super) fn is_allowed(run: &Run) -> Result<()> {
    if run.config.queue.actions || Uid::effective().is_root() {
        return Ok(());
    }
    bail!(
        "only root changes the queue, unless actions = true stands below [queue] in the settings file"
    )
}

/// Shows the plan, makes sure that it is wanted, looks at the queue again and has Postfix do it.
pub(super) fn perform(
    verb: Verb,
    mut mails: Vec<Mail>,
    consent: Consent,
    query: &str,
    shared: &Shared,
    run: &Run,
) -> Result<Exit> {
    let found = mails.len();
    mails.retain(|mail| verb.concerns(mail));
    mails.sort_by_key(|mail| mail.arrival);
    let passed = found - mails.len();
    plan(verb, &mails, passed, run)?;
    if mails.is_empty() || consent == Consent::Refused {
        return Ok(if mails.is_empty() {
            Exit::Nothing
        } else {
            Exit::Found
        });
    }
    if consent == Consent::Ask && !is_wanted(verb, mails.len())? {
        notice::say("nothing was done");
        return Ok(Exit::Nothing);
    }
    let mut now = Vec::new();
    load::each(shared, run, &mut |mail| now.push(mail))?;
    let checked = action::check(&mails, now.iter());
    tell_left(&checked);
    if checked.same.is_empty() {
        return Ok(Exit::Nothing);
    }
    let said = shared.postfix(run).act(verb, &checked.same)?;
    tell_said(&said, &checked.same);
    let mut left_alone = checked.gone;
    left_alone.extend(checked.reused);
    let done = Record {
        time: run.later().now,
        user: who(),
        action: verb.name(),
        instance: shared
            .postfix_config
            .as_ref()
            .map(|path| path.display().to_string()),
        query: query.to_owned(),
        queue_ids: checked.same,
        left_alone,
        is_done: said.is_done,
        said: said.text,
    };
    record(&done);
    note(&done, run);
    Ok(if said.is_done {
        Exit::Found
    } else {
        Exit::Failed
    })
}

/// Writes what would be done: how many, the first ones, and which were passed over.
fn plan(verb: Verb, mails: &[Mail], passed: usize, run: &Run) -> Result<()> {
    let mut output = run.output(false);
    let style = output.style;
    let out = output.writer();
    let size: u128 = mails
        .iter()
        .filter_map(|mail| mail.size)
        .map(u128::from)
        .sum();
    let recipients: usize = mails.iter().map(|mail| mail.recipients.len()).sum();
    writeln!(
        out,
        "{} to be {}: {}, {}",
        count(mails.len(), "mail"),
        verb.means(),
        count(recipients, "recipient"),
        queue::size(size),
    )?;
    if passed > 0 {
        writeln!(out, "{} more passed over: {}", passed, verb.passes())?;
    }
    let mut present = Present::new(run.now, run.zone);
    let shown = mails.get(..SHOWN.min(mails.len())).unwrap_or_default();
    queue::list(shown, &mut present, &style, out)?;
    if mails.len() > SHOWN {
        writeln!(out, "and {} more", mails.len() - SHOWN)?;
    }
    output.finish()
}

fn count(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// Asks on the terminal.
fn is_wanted(verb: Verb, mails: usize) -> Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!(
            "no terminal on which to confirm: use --yes to act without, --dry-run to only show what would be done"
        );
    }
    notice::ask(&format!("{} {}? [y/N] ", verb.name(), count(mails, "mail")));
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .context("cannot read the answer")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn tell_left(checked: &Checked) {
    for (ids, why) in [
        (&checked.gone, "left the queue meanwhile"),
        (
            &checked.reused,
            "left alone: the id belongs to another mail now",
        ),
    ] {
        if !ids.is_empty() {
            let shown: Vec<&str> = ids.iter().map(String::as_str).take(SHOWN).collect();
            let more = if ids.len() > SHOWN { ", ..." } else { "" };
            let text = format!(
                "{}: {}{more} {why}",
                count(ids.len(), "mail"),
                shown.join(", ")
            );
            notice::say(&text);
        }
    }
}

/// Shows what Postfix said; of the lines that it writes for each mail none.
fn tell_said(said: &Said, ids: &[String]) {
    let known: hashbrown::HashSet<&str> = ids.iter().map(String::as_str).collect();
    let is_of_mail = |line: &&str| {
        let mut parts = line.split(": ").skip(1);
        parts.next().is_some_and(|id| known.contains(id))
    };
    let (each, other): (Vec<&str>, Vec<&str>) = said
        .text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .partition(is_of_mail);
    for line in other.iter().take(MOST_LINES) {
        notice::say(line);
    }
    if !said.is_done {
        notice::tell(
            notice::Level::Error,
            "Postfix reported a failure; run the command again to see what is left",
        );
    } else if other.is_empty() {
        let mails = count(each.len().max(ids.len()), "mail");
        notice::say(&format!("done for {mails}"));
    }
}

/// Returns who does it, and who that was before sudo.
fn who() -> String {
    let user = User::from_uid(Uid::current()).ok().flatten();
    let name = user.map_or_else(|| Uid::current().to_string(), |user| user.name);
    match std::env::var("SUDO_USER") {
        Ok(before) if !before.is_empty() => format!("{name} (by sudo {before})"),
        _ => name,
    }
}

/// Characters of an action that the table takes: the ids of some thousand mails.
const MOST_NOTED: usize = 100_000;

/// Writes the action into the table `audit`: through the service where one runs, else into the database where it may be written.
///
/// What was done is done: where neither works, the line of [`record`] is all there is.
fn note(record: &Record, run: &Run) {
    let words = |what: &str, ids: &[String]| match ids {
        [] => String::new(),
        ids => format!("; {what} {}", ids.join(" ")),
    };
    let instance = record.instance.as_ref();
    let what = format!(
        "queue {}{}: {}{}{}; {}: {}",
        record.action,
        instance.map_or_else(String::new, |of| format!(" in {of}")),
        record.query,
        words("mails", &record.queue_ids),
        words("left alone", &record.left_alone),
        if record.is_done { "done" } else { "failed" },
        record.said.trim(),
    );
    let row = AuditRow {
        time: record.time,
        who: record.user.clone(),
        origin: "command".to_owned(),
        what: what.chars().take(MOST_NOTED).collect(),
        scope: Scope::All.to_string(),
        hits: i64::try_from(record.queue_ids.len()).ok(),
    };
    let noted = note_row(row, &run.config.database);
    if let Err(error) = noted {
        notice::say(&format!("not written into the table audit: {error}"));
    }
}

fn note_row(row: AuditRow, database: &Path) -> Result<(), store::Error> {
    if let Some(service) = Client::connect(database, None)? {
        let argument = serde_json::to_string(&row).unwrap_or_default();
        return service.call("maillog_audit", &argument).map(drop);
    }
    // Without a log there is nothing that the action belongs to.
    if !database.exists() {
        return Ok(());
    }
    Store::open_writer(database)?.add_audit(&[row])
}

/// Says what was done, for the journal or the terminal.
fn record(record: &Record) {
    let left = match record.left_alone.len() {
        0 => String::new(),
        left => format!(", {left} left alone"),
    };
    notice::tell(
        notice::Level::Notice,
        &format!(
            "audit: {} {} {}{left}: {}",
            record.user,
            record.action,
            count(record.queue_ids.len(), "mail"),
            if record.is_done { "done" } else { "failed" },
        ),
    );
}
