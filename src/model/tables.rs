//! Tables: the one list of tables and their columns. Writing and reading of rows, erasure, masks, retention and the
//! counts of rows come from it.
//!
//! Each table: `table NAME of ROW { erase .., retain .., rows .. } [ columns ]`. Each column: its name and what it holds:
//!
//! | word | what the column holds | erasure | mask |
//! |---|---|---|---|
//! | `plain` | nothing of a person | – | – |
//! | `address` | one mail address or login | yes | yes |
//! | `quote` | a text that may quote an address | yes | yes |
//! | `trace` | a text that may quote an address, by which mail is traced | yes | – |
//! | `json` | a state that may quote an address | at rest | – |
//! | `key(c)` | the key of the address in column `c` | with `c` | – |
//! | `within(c)` | the address within column `c` (SRS, BATV), and a column `.._key` with its key | yes | yes |
//! | `attempt` | the columns of an attempt | | |
//!
//! `of sender` marks what tells who sent a message: it goes out of the row with the sender.
//!
//! Promises: the order is that of the columns in the database; every table and column of the schema is here (a test asks the
//! database). Erasure goes through the tables in this order: what hangs on another row comes before it.

use super::retain::Group;
use std::sync::LazyLock;

/// What erasing an address does to the rows that name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    /// No row names one.
    Nothing,
    /// Recipients: rows go, texts are changed.
    Recipients,
    /// Messages: who sent it goes out of the row, texts are changed.
    Messages,
    /// Rows go.
    Delete,
    /// Texts are changed.
    Replace,
    /// JSON is changed while no service runs.
    Json,
}

/// Until when rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retain {
    /// As long as the settings say of the group, by the column `time`.
    Dated(Group),
    /// The same; what belongs to a message in the queue stays with it, and goes with its message.
    Line(Group),
    /// The same, of refusals: what belongs to a message in the queue stays.
    Refusal(Group),
    /// The same, by when the message left the queue.
    Message(Group),
    /// As long as its message.
    WithMessage,
    /// As long as the settings say of the group, by a rule of its own (`store/retain.rs`).
    Ledger(Group),
    /// As long as it is needed.
    Needed,
}

impl Retain {
    /// Returns the group of the settings.
    #[must_use]
    pub const fn group(self) -> Option<Group> {
        match self {
            Self::Dated(group)
            | Self::Line(group)
            | Self::Refusal(group)
            | Self::Message(group)
            | Self::Ledger(group) => Some(group),
            Self::WithMessage => Some(Group::Deliveries),
            Self::Needed => None,
        }
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of the module describes each")]
pub enum Holds {
    Plain,
    Address,
    Quote,
    Trace,
    Json,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the database.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
    /// It tells who sent the message.
    pub is_of_sender: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name in the database.
    pub name: &'static str,
    /// What erasing an address does to it.
    pub erase: Erase,
    /// How long its rows are kept.
    pub retain: Retain,
    /// Its rows are counted in `maillog status`.
    pub is_counted: bool,
    /// Its columns, in the order of the database.
    pub columns: Vec<Column>,
}

impl Table {
    /// Returns the columns that may name the address which is erased.
    pub fn naming(&self) -> impl Iterator<Item = &str> {
        let names =
            |column: &&Column| matches!(column.holds, Holds::Address | Holds::Quote | Holds::Trace);
        self.columns.iter().filter(names).map(|c| c.name.as_str())
    }

    /// Returns the columns that hold a whole address.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let of = self.columns.iter();
        of.filter(|c| c.holds == Holds::Address)
            .map(|c| c.name.as_str())
    }

    /// Returns the columns that tell who sent a message.
    pub fn of_sender(&self) -> impl Iterator<Item = &str> {
        let of = self.columns.iter();
        of.filter(|c| c.is_of_sender).map(|c| c.name.as_str())
    }
}

/// Gives the list to another macro.
macro_rules! for_each_table {
    ($then:ident) => {
        $then! {
            table log_line of LogLine { erase Delete, retain Line(Lines), rows counted } [
                time plain,
                host plain,
                from_id plain,
                noqueue_id plain,
                line quote,
                neighbour_id plain,
            ]
            table neighbour of NeighbourRow { erase Delete, retain Dated(Deliveries), rows counted } [
                id plain,
                time plain,
                host plain,
                program plain,
                queue_id plain,
                message_id trace,
                session plain,
                recipient address,
                action trace,
                detail quote,
            ]
            table noqueue of Noqueue { erase Delete, retain Refusal(Noqueue), rows counted } [
                id plain,
                time plain,
                host plain,
                instance plain,
                service plain,
                pid plain,
                action plain,
                protocol_state plain,
                client_name trace,
                client_address plain,
                client_port plain,
                helo_name quote,
                protocol_name plain,
                sender address,
                recipient address,
                sasl_method plain,
                sasl_username address,
                reply_code plain,
                dsn plain,
                rule plain,
                dnsbl trace,
                reason quote,
                queue_id plain,
                from_id plain,
                count plain,
                cause plain,
                sender_key key(sender),
                recipient_key key(recipient),
                orig_sender within(sender),
                recipient_within within(recipient),
            ]
            table auth of Auth { erase Delete, retain Dated(Auth), rows counted } [
                id plain,
                time plain,
                host plain,
                instance plain,
                service plain,
                client_name trace,
                client_address plain,
                sasl_method plain,
                sasl_username address,
                ok plain,
                reason quote,
                count plain,
            ]
            table connection of Connection { erase Replace, retain Dated(Connection), rows counted } [
                id plain,
                time plain,
                duration plain,
                host plain,
                instance plain,
                service plain,
                pid plain,
                client_name trace,
                client_address plain,
                client_port plain,
                commands trace,
                tls plain,
                outcome trace,
                count plain,
            ]
            table delivery_attempt of DeliveryAttempt { erase Replace, retain WithMessage, rows counted } [
                id plain,
                to_id plain,
                from_id plain,
                time plain,
                state attempt,
            ]
            table delivery_to of DeliveryTo { erase Recipients, retain WithMessage, rows counted } [
                id plain,
                from_id plain,
                host plain,
                instance plain,
                queue_id plain,
                recipient address,
                orig_to address,
                time plain,
                first_time plain,
                attempts plain,
                state attempt,
                recipient_key key(recipient),
                orig_to_key key(orig_to),
                recipient_within within(recipient),
            ]
            table delivery_from of DeliveryFrom { erase Messages, retain Message(Deliveries), rows counted } [
                id plain,
                host plain,
                instance plain,
                queue_id plain,
                time plain,
                updated plain,
                removed plain,
                service plain,
                client_name trace of sender,
                client_address plain of sender,
                client_port plain of sender,
                helo_name quote of sender,
                protocol_name plain,
                sasl_method plain of sender,
                sasl_username address of sender,
                sasl_sender address of sender,
                orig_queue_id plain,
                orig_client quote of sender,
                sender address,
                message_id trace of sender,
                resent_message_id trace of sender,
                subject quote of sender,
                size plain,
                nrcpt plain,
                uid plain of sender,
                tls plain,
                origin plain,
                parent_id plain,
                parent_link plain,
                root_id plain,
                status plain,
                reason quote,
                log_incomplete plain,
                sender_key key(sender),
                parent_inferred plain,
                orig_sender within(sender) of sender,
                header_from quote of sender,
            ]
            table event of EventRow { erase Replace, retain Ledger(Event), rows counted } [
                day plain,
                host plain,
                instance trace,
                service trace,
                level plain,
                template quote,
                sample quote,
                first_time plain,
                last_time plain,
                count plain,
            ]
            table unparsed of UnparsedRow { erase Replace, retain Ledger(Event), rows counted } [
                service trace,
                template quote,
                sample quote,
                first_time plain,
                last_time plain,
                count plain,
            ]
            table undated { erase Replace, retain Needed, rows uncounted } [
                source_id plain,
                lines plain,
                sample quote,
            ]
            table task_run { erase Replace, retain Needed, rows uncounted } [
                name plain,
                schedule plain,
                state plain,
                due plain,
                started plain,
                ended plain,
                next_run plain,
                failures plain,
                result quote,
            ]
            table audit { erase Replace, retain Dated(Audit), rows counted } [
                time plain,
                who address,
                origin plain,
                what quote,
                scope quote,
                hits plain,
            ]
            table queued_recipient of QueuedRecipient { erase Delete, retain Dated(Queue), rows counted } [
                time plain,
                queue_id plain,
                recipient address,
                reason quote,
                cause plain,
            ]
            table queued_mail of QueuedMail { erase Delete, retain Dated(Queue), rows counted } [
                time plain,
                queue_id plain,
                digest plain,
                status plain,
                forced_expire plain,
                arrival_time plain,
                size plain,
                sender address,
                nrcpt plain,
                reason quote,
                cause plain,
                odd plain,
            ]
            table queue_snapshot of QueueCount { erase Nothing, retain Dated(Queue), rows counted } [
                time plain,
                host plain,
                status plain,
                domain plain,
                mails plain,
                recipients plain,
                size plain,
                oldest plain,
            ]
            table queue_listing of QueueListing { erase Nothing, retain Dated(Queue), rows uncounted } [
                time plain,
                host plain,
                myhostname plain,
                instance plain,
                mails plain,
                stored plain,
                recipients plain,
                oldest plain,
                odd plain,
                minimal_backoff plain,
                maximal_backoff plain,
            ]
            table outbox of OutboxRow { erase Delete, retain Dated(Mail), rows counted } [
                message_id trace,
                made plain,
                time plain,
                kind plain,
                occasion quote,
                sender address,
                recipient address,
                subject quote,
                message quote,
                state plain,
                tries plain,
                next_try plain,
                result quote,
            ]
            table signature_use of SignatureUse { erase Delete, retain Dated(Signature), rows counted } [
                time plain,
                client_address plain,
                username address,
                operation plain,
                digest trace,
                reply_code plain,
                count plain,
            ]
            table signature of SignatureRow { erase Delete, retain Needed, rows counted } [
                digest trace,
                count plain,
                wl_count plain,
                entered plain,
                updated plain,
                wl_entered plain,
                wl_updated plain,
            ]
            table coverage { erase Nothing, retain Ledger(Deliveries), rows counted } [
                source_id plain,
                host plain,
                hour plain,
                first_time plain,
                last_time plain,
                lines plain,
                understood plain,
                ignored plain,
                foreign plain,
                not_understood plain,
                lost plain,
                known plain,
            ]
            table seen { erase Nothing, retain Needed, rows counted } [
                id plain,
                source_id plain,
                first_time plain,
                last_time plain,
                lines plain,
                is_piece plain,
                keys plain,
            ]
            table open_message { erase Json, retain Needed, rows uncounted } [
                name plain,
                state json,
            ]
            table source { erase Json, retain Needed, rows uncounted } [
                id plain,
                key plain,
                name plain,
                position plain,
                journal_cursor plain,
                last_time plain,
                state json,
                first_read plain,
                last_read plain,
            ]
            table anchor { erase Nothing, retain Needed, rows uncounted } [
                source_id plain,
                hash plain,
                position plain,
            ]
            table counter { erase Nothing, retain Needed, rows uncounted } [
                name plain,
                labels plain,
                value plain,
            ]
            table kept { erase Nothing, retain Needed, rows uncounted } [
                host plain,
                first_time plain,
                last_time plain,
                until plain,
            ]
            table meta { erase Nothing, retain Needed, rows uncounted } [
                key plain,
                value plain,
            ]
        }
    };
}
#[cfg(feature = "store")]
pub(crate) use for_each_table;

/// The same for the columns of an attempt: they are part of two tables.
macro_rules! with_attempt {
    ($then:ident) => {
        $then! {
            agent plain,
            relay trace,
            relay_name trace,
            relay_address trace,
            relay_port plain,
            conn_use plain,
            delay plain,
            delay_before_qmgr plain,
            delay_in_qmgr plain,
            delay_conn_setup plain,
            delay_transmission plain,
            tls plain,
            dsn plain,
            status plain,
            reply_code plain,
            reason quote,
            remote_queue_id trace,
            cause plain,
            dnsbl plain,
        }
    };
}
#[cfg(feature = "store")]
pub(crate) use with_attempt;

fn column(name: &str, holds: Holds, is_of_sender: bool) -> Column {
    Column {
        name: name.to_owned(),
        holds,
        is_of_sender,
    }
}

/// Returns the columns that one entry stands for.
macro_rules! entry {
    ($name:ident plain, $who:expr) => {
        vec![column(stringify!($name), Holds::Plain, $who)]
    };
    ($name:ident address, $who:expr) => {
        vec![column(stringify!($name), Holds::Address, $who)]
    };
    ($name:ident quote, $who:expr) => {
        vec![column(stringify!($name), Holds::Quote, $who)]
    };
    ($name:ident trace, $who:expr) => {
        vec![column(stringify!($name), Holds::Trace, $who)]
    };
    ($name:ident json, $who:expr) => {
        vec![column(stringify!($name), Holds::Json, $who)]
    };
    ($name:ident key($of:ident), $who:expr) => {
        vec![column(stringify!($name), Holds::Plain, $who)]
    };
    ($name:ident within($of:ident), $who:expr) => {
        vec![
            column(stringify!($name), Holds::Address, $who),
            column(concat!(stringify!($name), "_key"), Holds::Plain, $who),
        ]
    };
    ($name:ident attempt, $who:expr) => {
        attempt_columns()
    };
}

macro_rules! is_of_sender {
    () => {
        false
    };
    (sender) => {
        true
    };
}

macro_rules! is_counted {
    (counted) => {
        true
    };
    (uncounted) => {
        false
    };
}

macro_rules! attempt_list {
    ($($name:ident $holds:ident),* $(,)?) => {
        [ $( entry!($name $holds, false) ),* ].concat()
    };
}

fn attempt_columns() -> Vec<Column> {
    with_attempt!(attempt_list)
}

macro_rules! list {
    ($(
        table $table:ident $(of $row:ident)?
        { erase $erase:ident, retain $retain:ident $(($group:ident))?, rows $counted:ident }
        [ $( $name:ident $holds:ident $(($of:ident))? $(of $who:ident)? ),* $(,)? ]
    )*) => {
        vec![ $( Table {
            name: stringify!($table),
            erase: Erase::$erase,
            retain: Retain::$retain $((Group::$group))?,
            is_counted: is_counted!($counted),
            columns: [ $( entry!($name $holds $(($of))?, is_of_sender!($($who)?)) ),* ].concat(),
        } ),* ]
    };
}

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| for_each_table!(list));

/// Returns all tables, in the order in which erasure goes through them.
#[must_use]
pub fn tables() -> &'static [Table] {
    &TABLES
}

/// Returns the tables whose rows hang on a message by `from_id` and go with it.
pub fn parts() -> impl Iterator<Item = &'static Table> {
    tables()
        .iter()
        .rev()
        .filter(|t| matches!(t.retain, Retain::WithMessage | Retain::Line(_)))
}

/// Returns the table of that name.
#[must_use]
pub fn table(name: &str) -> Option<&'static Table> {
    tables().iter().find(|table| table.name == name)
}

/// Returns the group of that name, or of the table of that name.
#[must_use]
pub fn group(name: &str) -> Option<Group> {
    let group = Group::ALL.into_iter().find(|group| group.name() == name);
    group.or_else(|| table(name)?.retain.group())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row;
    use serde::Serialize;

    fn fields(row: &impl Serialize) -> Vec<String> {
        let serde_json::Value::Object(map) = serde_json::to_value(row).unwrap() else {
            panic!("a row is an object");
        };
        map.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn every_field_of_a_row_is_a_column() {
        let rows = [
            ("log_line", fields(&row::LogLine::default())),
            ("neighbour", fields(&row::NeighbourRow::default())),
            ("noqueue", fields(&row::Noqueue::default())),
            ("auth", fields(&row::Auth::default())),
            ("connection", fields(&row::Connection::default())),
            ("delivery_attempt", fields(&row::DeliveryAttempt::default())),
            ("delivery_to", fields(&row::DeliveryTo::default())),
            ("delivery_from", fields(&row::DeliveryFrom::default())),
            ("event", fields(&row::EventRow::default())),
        ];
        for (name, fields) in rows {
            let columns = &table(name).unwrap().columns;
            for field in fields {
                assert!(columns.iter().any(|c| c.name == field), "{name}.{field}");
            }
        }
    }

    #[test]
    fn what_names_a_person_is_erased() {
        for table in tables() {
            let is_erased = !matches!(table.erase, Erase::Nothing | Erase::Json);
            assert_eq!(table.naming().next().is_some(), is_erased, "{}", table.name);
            let has_state = table.columns.iter().any(|c| c.holds == Holds::Json);
            assert_eq!(has_state, table.erase == Erase::Json, "{}", table.name);
        }
    }

    #[test]
    fn names_of_tables_mean_their_group() {
        for of in Group::ALL {
            assert_eq!(group(of.name()), Some(of));
        }
        assert_eq!(group("delivery_to"), Some(Group::Deliveries));
        assert_eq!(group("source"), None);
    }
}
