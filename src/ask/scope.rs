//! Scope: the tables as somebody sees them who may see some mail only.
//!
//! A connection for such a person has a temporary view in front of each table, under the table's name. Whatever statement of ours runs
//! there, with whatever terms, is asked of these views: its answer is the one that a database would give in which there is nothing
//! else. DuckDB looks for a name among temporary views first, also for the names within the stored views (`attempt`, `queue_now`); only
//! a name with the database in front of it passes them by, which no statement of ours has.
//!
//! | table | what is seen |
//! |---|---|
//! | `delivery_to`, `delivery_attempt` | recipients that are allowed, before or after rewriting; all recipients of an allowed sender or login |
//! | `delivery_from` | messages of an allowed sender or login, or with an allowed recipient |
//! | `noqueue` | refusals with an allowed side |
//! | `auth` | allowed logins |
//! | `neighbour`, `log_line` | what belongs to these, but no line that names another recipient |
//! | `coverage` | all: it tells of hosts and hours |
//! | `meta` | the version of the schema |
//! | any other, also one that is made later | nothing |
//!
//! In a row that is seen, sender and recipient are; a login is where it is allowed or the sender's. In every other text column that is
//! not known to be without persons, addresses are hidden ([`Scope::hide`]).
//!
//! The doors by which a row leaves, each with a test:
//!
//! | door | how it is shut |
//! |---|---|
//! | `find` in all formats, counts, `--count-by`, `-f`, `--until-final` | statements of `query/`, asked of the views |
//! | stories, tickets, raw lines, `store` | statements of `query::story`, asked of the views; other hops and recipients are not there |
//! | coverage, near misses, other readings of a word | the same |
//! | `status` | the same: sources, samples, tasks are not there |
//! | `summary` in all formats | its own statements, asked of the views; a query that a user put in place of a section is refused |
//! | canned queries, `maillog sql`, `psql`, cursors, `COPY`, `EXPLAIN`, `queue` with history | SQL: refused without the scope *all* |
//! | completion of values | names of hosts, instances and services, asked of the views |
//! | catalogs of PostgreSQL | SQL: refused |
//! | errors and suggestions | name fields and columns, never values of rows |
//! | verbs (`CALL`) | root and the owner alone |
//! | `audit` | nothing is seen of it |
//! | `/metrics` | counts by domains that the settings name; no address |
//!
//! Limits: somebody who can read the file sees everything. `nrcpt` and `size` of a message that is seen stay, also with other
//! recipients. How long an answer takes may tell how much there is that is not seen.

use crate::model::scope::{Allowed, Scope};
use crate::model::tables::{self, Holds};

/// A column of a table: name and type.
pub type Column = (String, String);

/// A table with its columns.
pub type Table = (String, Vec<Column>);

/// Columns by which a mail is traced: they are its own.
const TRACES: [&str; 2] = ["message_id", "resent_message_id"];

/// Returns whether the list of tables says that there is nothing of a person in the column; else it is looked through for addresses.
fn is_plain(table: &str, column: &str) -> bool {
    let known = tables::table(table)
        .into_iter()
        .flat_map(|table| &table.columns);
    let mut known = known.filter(|known| known.name == column);
    known.any(|known| known.holds == Holds::Plain)
}

/// Columns with a side of the row: who sees the row sees them.
const SIDES: [&str; 5] = [
    "sender",
    "orig_sender",
    "recipient",
    "recipient_within",
    "orig_to",
];

/// Logins: seen where they are allowed or the sender's.
const LOGINS: [&str; 2] = ["sasl_username", "sasl_sender"];

/// Ids of the messages and recipients that are seen: views with conditions on both tables would take too much memory where a statement
/// names them a dozen times.
const MESSAGES: &str = "temp.main.scope_message";
const RECIPIENTS: &str = "temp.main.scope_recipient";

/// Returns the statements that find what is seen of messages at this moment: rows come, and are changed, until they are complete.
#[must_use]
pub fn refresh(scope: &Scope, database: &str) -> String {
    let Scope::Only(_) = scope else {
        return String::new();
    };
    let views = Views::new(scope, database);
    let (messages, recipients) = (views.table("delivery_from"), views.table("delivery_to"));
    let (sent, received) = (views.is_sent(), views.is_received());
    format!(
        "CREATE OR REPLACE TEMP TABLE scope_message AS SELECT f.id FROM {messages} f WHERE {sent};\n\
         CREATE OR REPLACE TEMP TABLE scope_recipient AS SELECT t.id, t.from_id FROM {recipients} t \
         WHERE {received} OR t.from_id IN (SELECT id FROM {MESSAGES});\n\
         INSERT INTO {MESSAGES} SELECT DISTINCT from_id FROM {RECIPIENTS} \
         WHERE from_id NOT IN (SELECT id FROM {MESSAGES});\n"
    )
}

/// Returns the statements that make the views; `database` is the name of the database, `tables` are all of its tables.
#[must_use]
pub fn views(scope: &Scope, database: &str, tables: &[Table]) -> String {
    if *scope == Scope::All {
        return String::new();
    }
    let views = Views::new(scope, database);
    // Those behind are made of those before.
    let order = |table: &str| match table {
        "log_line" => 2,
        "neighbour" => 1,
        _ => 0,
    };
    let mut tables: Vec<&Table> = tables.iter().collect();
    tables.sort_by_key(|(table, _)| order(table));
    let each = tables.into_iter().map(|(table, columns)| {
        format!(
            "CREATE TEMP VIEW {} AS {};\n",
            name(table),
            views.of(table, columns)
        )
    });
    each.collect()
}

struct Views<'a> {
    database: &'a str,
    scope: &'a Scope,
    /// The scope as a literal.
    words: String,
}

impl<'a> Views<'a> {
    fn new(scope: &'a Scope, database: &'a str) -> Self {
        Self {
            database,
            scope,
            words: literal(&scope.words().join("\n")),
        }
    }

    fn of(&self, table: &str, columns: &[Column]) -> String {
        let all = self.table(table);
        match (table, self.scope) {
            ("coverage", _) => format!("SELECT * FROM {all}"),
            ("meta", _) => format!("SELECT * FROM {all} WHERE key = 'maillog_schema'"),
            ("delivery_from", Scope::Only(_)) => self.messages(columns),
            ("delivery_to", Scope::Only(_)) => self.recipients(columns),
            ("delivery_attempt", Scope::Only(_)) => self.attempts(columns),
            ("noqueue", Scope::Only(_)) => self.refusals(columns),
            ("auth", Scope::Only(_)) => format!(
                "SELECT {} FROM {all} n WHERE {}",
                self.columns(("auth", "n"), columns, &["n.sasl_username"], "false"),
                self.any(&["n.sasl_username"])
            ),
            ("neighbour", Scope::Only(_)) => self.neighbours(columns),
            ("log_line", Scope::Only(_)) => self.lines(columns),
            // A view has no row numbers of its own.
            ("log_line", _) => format!("SELECT *, rowid AS rowid FROM {all} WHERE false"),
            _ => format!("SELECT * FROM {all} WHERE false"),
        }
    }

    fn table(&self, table: &str) -> String {
        format!("{}.main.{}", name(self.database), name(table))
    }

    /// The message was sent by somebody allowed.
    fn is_sent(&self) -> String {
        self.any(&["f.sender", "f.sasl_username"])
    }

    /// The recipient is allowed.
    fn is_received(&self) -> String {
        self.any(&["t.recipient", "t.orig_to"])
    }

    fn messages(&self, columns: &[Column]) -> String {
        let own = [
            "f.sender",
            "f.orig_sender",
            "f.message_id",
            "f.resent_message_id",
        ];
        let columns = self.columns(
            ("delivery_from", "f"),
            columns,
            &own,
            &self.any(&["f.sender"]),
        );
        let messages = self.table("delivery_from");
        format!("SELECT {columns} FROM {messages} f WHERE f.id IN (SELECT id FROM {MESSAGES})")
    }

    fn recipients(&self, columns: &[Column]) -> String {
        let own = ["t.recipient", "t.orig_to", "t.recipient_within"];
        let columns = self.columns(("delivery_to", "t"), columns, &own, "false");
        let recipients = self.table("delivery_to");
        format!("SELECT {columns} FROM {recipients} t WHERE t.id IN (SELECT id FROM {RECIPIENTS})")
    }

    fn attempts(&self, columns: &[Column]) -> String {
        let columns = self.columns(("delivery_attempt", "a"), columns, &["''"], "false");
        let attempts = self.table("delivery_attempt");
        format!("SELECT {columns} FROM {attempts} a WHERE a.to_id IN (SELECT id FROM {RECIPIENTS})")
    }

    fn refusals(&self, columns: &[Column]) -> String {
        let own = [
            "n.sender",
            "n.orig_sender",
            "n.recipient",
            "n.recipient_within",
        ];
        format!(
            "SELECT {} FROM {} n WHERE {}",
            self.columns(("noqueue", "n"), columns, &own, &self.any(&["n.sender"])),
            self.table("noqueue"),
            self.any(&["n.sender", "n.recipient", "n.sasl_username"])
        )
    }

    /// What other daemons say of a message that is seen, or of an allowed recipient: another one's is not there.
    fn neighbours(&self, columns: &[Column]) -> String {
        let messages = of_view("delivery_from");
        format!(
            "SELECT {} FROM {} n WHERE (n.recipient IS NULL OR {}) \
             AND (n.queue_id IN (SELECT queue_id FROM {messages}) OR n.message_id IN (SELECT message_id FROM {messages}) OR {})",
            self.columns(
                ("neighbour", "n"),
                columns,
                &["n.recipient", "n.message_id"],
                "false"
            ),
            self.table("neighbour"),
            self.any(&["n.recipient"]),
            self.any(&["n.recipient"])
        )
    }

    /// Lines of what is seen. Those of somebody else's message are left out where they name an address that is hidden.
    fn lines(&self, columns: &[Column]) -> String {
        let lines = self.table("log_line");
        let of = |line: &str| {
            let of_line = |(column, _): &Column| match column.as_str() {
                "line" => format!("{line} AS line"),
                column => format!("l.{}", name(column)),
            };
            columns.iter().map(of_line).collect::<Vec<_>>().join(", ")
        };
        let sender = "f.sender, f.orig_sender, f.message_id, f.resent_message_id";
        let recipients = format!(
            "(SELECT string_agg(concat_ws(chr(10), t.recipient, t.orig_to), chr(10)) FROM {} t WHERE t.from_id = l.from_id)",
            self.table("delivery_to")
        );
        let sent = self.is_sent();
        let shown = |own: &str| {
            format!(
                "scope_text(l.line, {}, concat_ws(chr(10), {own}))",
                self.words
            )
        };
        let refusal = "n.sender, n.orig_sender, n.recipient, n.recipient_within";
        let parts = [
            format!(
                "SELECT {}, l.rowid AS rowid FROM {lines} l JOIN {} f ON f.id = l.from_id WHERE {sent}",
                of(&shown(&format!("{sender}, {recipients}"))),
                self.table("delivery_from"),
            ),
            format!(
                "SELECT {}, l.rowid AS rowid FROM {lines} l JOIN {} f ON f.id = l.from_id WHERE NOT {sent} \
                 AND l.from_id IN (SELECT id FROM {MESSAGES}) AND {} = l.line",
                of("l.line"),
                self.table("delivery_from"),
                shown(sender),
            ),
            format!(
                "SELECT {}, l.rowid AS rowid FROM {lines} l JOIN {} n ON n.id = l.noqueue_id WHERE l.from_id IS NULL AND {}",
                of(&shown(refusal)),
                self.table("noqueue"),
                self.any(&["n.sender", "n.recipient", "n.sasl_username"]),
            ),
            format!(
                "SELECT {}, l.rowid AS rowid FROM {lines} l WHERE l.from_id IS NULL AND l.noqueue_id IS NULL \
                 AND l.neighbour_id IN (SELECT id FROM {}) AND {} = l.line",
                of("l.line"),
                of_view("neighbour"),
                shown("''"),
            ),
        ];
        parts.join(" UNION ALL ")
    }

    /// Returns the columns of the table and its alias as they are shown; `own` are the row's own addresses, `is_own_login` whether its login is seen.
    fn columns(
        &self,
        (table, alias): (&str, &str),
        columns: &[Column],
        own: &[&str],
        is_own_login: &str,
    ) -> String {
        let shown = |(column, kind): &Column| {
            let whole = format!("{alias}.{}", name(column));
            let is = |list: &[&str]| list.contains(&column.as_str());
            if kind != "VARCHAR" || is(&TRACES) || is(&SIDES) || is_plain(table, column) {
                return whole;
            }
            if is(&LOGINS) {
                let allowed = self.any(&[whole.as_str()]);
                return format!(
                    "CASE WHEN {allowed} OR {is_own_login} THEN {whole} END AS {}",
                    name(column)
                );
            }
            format!(
                "scope_text({whole}, {}, concat_ws(chr(10), {})) AS {}",
                self.words,
                own.join(", "),
                name(column)
            )
        };
        columns.iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    /// Returns the condition that one of the columns has an address that is allowed; it is never NULL.
    fn any(&self, columns: &[&str]) -> String {
        let Scope::Only(allowed) = self.scope else {
            return "false".to_owned();
        };
        let each: Vec<String> = columns
            .iter()
            .flat_map(|column| is_allowed(column, allowed))
            .collect();
        format!("coalesce({}, false)", each.join(" OR "))
    }
}

/// The view of a table, for another view.
fn of_view(table: &str) -> String {
    format!("temp.main.{}", name(table))
}

fn is_allowed(column: &str, allowed: &Allowed) -> Vec<String> {
    let column = format!("lower({column})");
    let addresses: Vec<String> = allowed.addresses().map(literal).collect();
    let mut conditions = Vec::new();
    if !addresses.is_empty() {
        conditions.push(format!("{column} IN ({})", addresses.join(", ")));
    }
    for end in allowed.ends() {
        // A domain below another one stands behind an @, too.
        let of_address = if end.starts_with('.') {
            format!(
                "ends_with({column}, {}) AND contains({column}, '@')",
                literal(&end)
            )
        } else {
            format!("ends_with({column}, {})", literal(&end))
        };
        conditions.push(of_address);
    }
    conditions
}

/// Returns the text as a literal of SQL: the words of a scope are typed into settings, and cannot be parameters of a view.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
