//! Hits: the one list of the columns that a search shows, in their order. Statements, JSON, masks, completions and the manual follow it.
//!
//! A column: its name, its type in the database, what it is of a recipient `t` with its message `f`, of a message `f` without any
//! recipient, and of a refusal `n` (`-`: nothing), and what it says. What it holds of a person follows from the columns of
//! [`super::tables`] that it shows; where it shows none, a word of that list says it.

use super::tables::{self, Holds};

/// A column of hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type in the database.
    pub sql_type: &'static str,
    /// What it is, as SQL, of a recipient, a message, a refusal; nothing where none.
    pub of: [Option<&'static str>; 3],
    /// What it says, for people.
    pub help: &'static str,
    /// What it holds where that does not follow from columns of tables.
    filled: Option<Holds>,
}

macro_rules! shown {
    (-) => {
        None
    };
    ($sql:literal) => {
        Some($sql)
    };
}

macro_rules! filled {
    () => {
        None
    };
    (quote) => {
        Some(Holds::Quote)
    };
}

macro_rules! columns {
    ($( $name:ident $kind:ident ($recipient:tt, $message:tt, $refusal:tt) $($holds:ident)? $help:literal; )*) => {
        [ $( Column {
            name: stringify!($name),
            sql_type: stringify!($kind),
            of: [shown!($recipient), shown!($message), shown!($refusal)],
            help: $help,
            filled: filled!($($holds)?),
        } ),* ]
    };
}

/// All columns, in their order.
pub static COLUMNS: &[Column] = &columns! {
    time TIMESTAMP ("t.time", "f.updated", "n.time") "when it last happened: the last attempt, the last line of a mail without attempts, the refusal";
    kind VARCHAR ("'mail'", "'mail'", "'refused'") "mail, or refused for a mail or recipient that was not accepted";
    host VARCHAR ("f.host", "f.host", "n.host") "host that logged it";
    instance VARCHAR ("f.instance", "f.instance", "n.instance") "Postfix instance (syslog_name)";
    queue_id VARCHAR ("f.queue_id", "f.queue_id", "n.queue_id") "queue id of the message; of a refusal only if an earlier recipient was accepted";
    message_id VARCHAR ("f.message_id", "f.message_id", -) "Message-ID with its brackets";
    sender VARCHAR ("f.sender", "f.sender", "n.sender") "envelope sender; empty for the null sender";
    recipient VARCHAR ("t.recipient", -, "n.recipient") "envelope recipient after rewriting";
    orig_to VARCHAR ("t.orig_to", -, -) "recipient before rewriting, if it is another address";
    client_name VARCHAR ("f.client_name", "f.client_name", "n.client_name") "name of the client that sent the mail to us";
    client_address VARCHAR ("f.client_address", "f.client_address", "n.client_address") "IP address of the client";
    helo_name VARCHAR ("f.helo_name", "f.helo_name", "n.helo_name") "name that the client gave in HELO";
    sasl_username VARCHAR ("f.sasl_username", "f.sasl_username", "n.sasl_username") "login name of the client";
    status VARCHAR ("t.status", "f.status", "n.action") "outcome of the recipient or message; of a refusal what smtpd did";
    relay VARCHAR ("t.relay", -, -) "host that the mail was sent to, or the program that took it";
    dsn VARCHAR ("t.dsn", -, "n.dsn") "enhanced status code";
    reply_code USMALLINT ("t.reply_code", -, "n.reply_code") "SMTP reply code";
    reason VARCHAR ("coalesce(t.reason, f.reason)", "f.reason", "n.reason") "reply or reason, word for word";
    cause VARCHAR ("t.cause", -, "n.cause") "name of the cause for which it failed";
    dnsbl VARCHAR ("t.dnsbl", -, "n.dnsbl") "block list that caused the refusal";
    attempts INTEGER ("t.attempts", -, -) "number of delivery attempts";
    delay DOUBLE ("t.delay", -, -) "seconds from arrival to the last attempt";
    delay_before_qmgr DOUBLE ("t.delay_before_qmgr", -, -) "seconds before the queue manager";
    delay_in_qmgr DOUBLE ("t.delay_in_qmgr", -, -) "seconds in the queue manager";
    delay_conn_setup DOUBLE ("t.delay_conn_setup", -, -) "seconds of connecting";
    delay_transmission DOUBLE ("t.delay_transmission", -, -) "seconds of transmission";
    size BIGINT ("f.size", "f.size", -) "bytes of the message";
    nrcpt INTEGER ("f.nrcpt", "f.nrcpt", -) "number of recipients of the message";
    subject VARCHAR ("f.subject", "f.subject", -) "subject, if Postfix logs it";
    service VARCHAR ("f.service", "f.service", "n.service") "Postfix service that took or refused the mail";
    agent VARCHAR ("t.agent", -, -) "Postfix service that delivered it";
    rule VARCHAR (-, -, "n.rule") "class of the rule that refused it";
    protocol_state VARCHAR (-, -, "n.protocol_state") "SMTP command at which it was refused";
    count INTEGER ("1", "1", "n.count") "refusals that the row stands for; 1 for mail";
    first_time TIMESTAMP ("t.first_time", "f.time", "n.time") "when it began: the first attempt, the arrival, the refusal";
    removed TIMESTAMP ("f.removed", "f.removed", -) "when the message left the queue";
    message_status VARCHAR ("f.status", "f.status", -) "status of the message as a whole";
    log_incomplete BOOLEAN ("f.log_incomplete", "f.log_incomplete", "false") "lines about the message are missing in the log";
    from_id BIGINT ("f.id", "f.id", "n.from_id") "id of the message in table delivery_from";
    id BIGINT ("t.id", "f.id", "n.id") "id of the row in delivery_to, delivery_from (a mail without recipient) or noqueue (a refusal)";
    root_id BIGINT ("f.root_id", "f.root_id", -) "id of the message that the mail began with";
    parent_id BIGINT ("f.parent_id", "f.parent_id", -) "id of the message that this one continues or is about";
    parent_link VARCHAR ("f.parent_link", "f.parent_link", -) "how it continues that message: filter relay forward requeue; of a notice bounce delay status";
    parent_inferred BOOLEAN ("f.parent_inferred", "f.parent_inferred", -) "no line names that message; message id, sender, recipient and time do";
    header_from VARCHAR ("f.header_from", "f.header_from", -) "From header, if Postfix logs it";
    store VARCHAR (-, -, -) quote "what the mail store did with it; empty in other formats than json, csv and tsv unless named";
};

/// The tables behind the letters.
const TABLES: [(&str, &str); 3] = [
    ("t.", "delivery_to"),
    ("f.", "delivery_from"),
    ("n.", "noqueue"),
];

impl Column {
    /// Returns the columns of tables that it shows.
    fn sources(&self) -> impl Iterator<Item = &'static tables::Column> {
        let words = self.of.into_iter().flatten();
        let words =
            words.flat_map(|sql| sql.split(|c: char| !(c.is_alphanumeric() || "_.".contains(c))));
        words.filter_map(|word| {
            let (letter, table) = TABLES.iter().find(|(letter, _)| word.starts_with(letter))?;
            let name = word.strip_prefix(letter)?;
            tables::table(table)?
                .columns
                .iter()
                .find(|column| column.name == name)
        })
    }

    /// Returns what it holds: an address where it shows one, else a text where it shows one that may quote an address.
    #[must_use]
    pub fn holds(&self) -> Holds {
        let holds = || self.sources().map(|column| column.holds);
        let is = |what: Holds| holds().any(|holds| holds == what);
        self.filled.unwrap_or_else(|| {
            let all = [Holds::Address, Holds::Quote, Holds::Trace];
            all.into_iter()
                .find(|what| is(*what))
                .unwrap_or(Holds::Plain)
        })
    }
}

/// Returns the names of all columns.
#[must_use]
pub fn names() -> Vec<&'static str> {
    COLUMNS.iter().map(|column| column.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_word_of_a_column_is_a_column_of_a_table() {
        let mut seen = BTreeSet::new();
        for column in COLUMNS {
            assert!(seen.insert(column.name), "{} stands twice", column.name);
            let words = column.of.iter().flatten();
            let named: usize = words.map(|sql| sql.matches('.').count()).sum();
            assert_eq!(column.sources().count(), named, "{column:?}");
        }
    }

    #[test]
    fn what_a_column_holds_is_what_the_tables_say() {
        let holds = |name| {
            let column = COLUMNS.iter().find(|column| column.name == name);
            column.unwrap().holds()
        };
        assert_eq!(holds("sender"), Holds::Address);
        assert_eq!(holds("sasl_username"), Holds::Address);
        assert_eq!(holds("reason"), Holds::Quote);
        assert_eq!(holds("subject"), Holds::Quote);
        assert_eq!(holds("store"), Holds::Quote);
        assert_eq!(holds("message_id"), Holds::Trace);
        assert_eq!(holds("dsn"), Holds::Plain);
    }
}
