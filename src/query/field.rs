//! Field: what a field of the query language is: its names, the kind of its values, its columns in each kind of hit.

/// What a field's values are, and so how they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Mail address, domain, part of an address.
    Address,
    /// Login name: whole, or the part before the @.
    User,
    /// Host name, address or network.
    Host,
    /// Queue id.
    QueueId,
    /// Queue id of any message of the same chain.
    Chain,
    /// Message-ID with or without its brackets.
    MessageId,
    /// A status word of the last attempt, of the message or of a refusal.
    Status,
    /// A status word of any attempt.
    Ever,
    /// A cause by its name, a word of it or another name.
    Cause,
    /// Free text: a part of it.
    Text,
    /// A whole word.
    Word,
    /// Postfix service: with or without its label.
    Service,
    /// Whole number.
    Count,
    /// Number of bytes: `10M`.
    Bytes,
    /// Length of time: `5min`.
    Seconds,
    /// Enhanced status code, or its beginning.
    Dsn,
    /// Reply code, or its first digits.
    Code,
    /// Nothing before.
    Since,
    /// Nothing from then on.
    Until,
    /// Whole units of time.
    Date,
}

impl FieldKind {
    /// Returns whether values have an order, so that `<`, `>` and `..` mean something.
    #[must_use]
    pub const fn is_ordered(self) -> bool {
        matches!(
            self,
            Self::Count | Self::Bytes | Self::Seconds | Self::Code | Self::Date
        )
    }

    /// Returns whether a value may hold blanks, so that one shell argument with blanks is one value.
    #[must_use]
    pub const fn takes_blanks(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Since | Self::Until | Self::Date | Self::Seconds
        )
    }

    /// Returns what a value looks like, for messages.
    #[must_use]
    pub const fn wants(self) -> &'static str {
        match self {
            Self::Address => "an address, a domain or a part of an address",
            Self::User => "a login name",
            Self::Host => "a host name, an address or a network such as 192.0.2.0/24",
            Self::QueueId | Self::Chain => "a queue id",
            Self::MessageId => "a message id",
            Self::Status | Self::Ever => "a status word",
            Self::Cause => "a cause such as mailbox_full, or a word of it",
            Self::Text => "text",
            Self::Word => "a word",
            Self::Service => "a service such as smtpd or submission/smtpd",
            Self::Count => "a whole number",
            Self::Bytes => "a size such as 500, 20K or 10M",
            Self::Seconds => "a length of time such as 30s, 5min or 2h",
            Self::Dsn => "a code such as 5.7.1, 5.7 or 5",
            Self::Code => "a code such as 550, 55 or 5",
            Self::Since | Self::Until | Self::Date => "a time",
        }
    }
}

/// The columns of a field in one kind of hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// Compared as the field's kind says; any of them may match.
    pub plain: &'static [&'static str],
    /// IP addresses (of kind Host).
    pub address: &'static [&'static str],
}

/// A field of the query language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Other names: the column's, the label in the log.
    pub aliases: &'static [&'static str],
    /// What its values are.
    pub kind: FieldKind,
    /// Columns of a recipient `t`, its message `f` and the first message `r` of the chain.
    pub recipient: Columns,
    /// Columns of a message `f` without any recipient, and the first message `r` of the chain.
    pub message: Columns,
    /// Columns of a refusal `n`.
    pub refusal: Columns,
    /// One line for people.
    pub help: &'static str,
}

/// Columns that are compared as the field's kind says.
pub(super) const fn plain(plain: &'static [&'static str]) -> Columns {
    Columns {
        plain,
        address: &[],
    }
}

/// No column.
pub(super) const NO: Columns = plain(&[]);
