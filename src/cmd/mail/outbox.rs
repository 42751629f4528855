//! `maillog mail outbox`: the mail that maillog sends or sent, with the outcome that the log knows.

use super::super::{Context as Run, Exit};
use crate::render::{self, Format};
use anyhow::Result;
use clap::{Args, ValueEnum};

/// List the mail that maillog sends or sent, with its outcome.
#[derive(Debug, Args)]
pub(super) struct Outbox {
    /// Only mail in this state
    #[arg(long, value_enum, value_name = "STATE")]
    state: Option<State>,
    /// Output format
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Form::Table)]
    output: Form,
}

/// States.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Waiting,
    Sending,
    Unknown,
    Sent,
    Failed,
}

/// Forms of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Columns for eyes
    Table,
    /// One JSON object a line, with all columns
    Json,
    /// Comma-separated values
    Csv,
    /// Tab-separated values
    Tsv,
}

/// The rows with the last outcome that the log has of each.
const LIST: &str = "\
SELECT
    o.made AS time,
    o.state,
    o.kind,
    o.recipient,
    o.subject,
    o.tries,
    o.next_try,
    (
        SELECT arg_max(t.status, t.time)
        FROM delivery_from f
        JOIN delivery_to t ON t.from_id = f.id
        WHERE f.message_id = o.message_id
    ) AS outcome,
    o.result,
    o.message_id,
    o.sender,
    o.occasion
FROM outbox o
WHERE $1::VARCHAR IS NULL OR o.state = $1
ORDER BY o.made, o.recipient, o.message_id";

impl Outbox {
    pub(super) fn run(self, run: &Run) -> Result<Exit> {
        use crate::model::table::Param;
        let state = self.state.and_then(|state| state.to_possible_value());
        let state = state.map_or(Param::Null, |state| {
            Param::Text(state.get_name().to_owned())
        });
        let mut table = run.reader()?.select(LIST, &[state])?;
        let format = match self.output {
            Form::Table => Format::Table,
            Form::Json => Format::Json,
            Form::Csv => Format::Csv,
            Form::Tsv => Format::Tsv,
        };
        if self.output == Form::Table {
            // All that a terminal has room for; the others have all.
            table.columns.truncate(9);
            table.rows.iter_mut().for_each(|row| row.truncate(9));
        }
        let is_empty = table.rows.is_empty();
        let mut output = run.output(self.output == Form::Table);
        let style = output.style;
        render::table(&table, format, &style, output.writer())?;
        output.finish()?;
        Ok(if is_empty { Exit::Nothing } else { Exit::Found })
    }
}
