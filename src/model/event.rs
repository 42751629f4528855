//! Event: what one log line means. One variant per kind of statement, borrowing from the entry.
//!
//! Field names are Postfix's own words (README, "Names"); `maillog parse` prints these structs as they are.

use serde::Serialize;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(claim: &bool) -> bool {
    !*claim
}

/// `name[address]:port` as smtpd prints it; postscreen prints no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Client<'a> {
    /// Verified PTR name or `unknown`; empty where the line has none (postscreen).
    #[serde(rename = "client_name")]
    pub name: &'a str,
    /// IPv4, IPv6 without tag, or `unknown`.
    #[serde(rename = "client_address")]
    pub address: &'a str,
    /// Port, only with `smtpd_client_port_logging` and in postscreen lines.
    #[serde(rename = "client_port", skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// What smtpd, postscreen and cleanup print at the end of a policy line. All of it is hostile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tail<'a> {
    /// `from=<>`: envelope sender; `Some("")` is the null sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<&'a str>,
    /// `to=<>`: the recipient at RCPT, else the first (smtpd) or last (cleanup) accepted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<&'a str>,
    /// `proto=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_name: Option<&'a str>,
    /// `helo=<>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helo_name: Option<&'a str>,
    /// `sasl_method=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sasl_method: Option<&'a str>,
    /// `sasl_username=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sasl_username: Option<&'a str>,
    /// `sasl_sender=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sasl_sender: Option<&'a str>,
}

/// `relay=` and its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Relay<'a> {
    /// As logged: `mx.example.net[192.0.2.25]:25`, `local`, `none`.
    pub relay: &'a str,
    /// Host name before the bracket; absent for a service name or `none`.
    #[serde(rename = "relay_name", skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Inside the bracket: an address, or the path of a socket.
    #[serde(rename = "relay_address", skip_serializing_if = "Option::is_none")]
    pub address: Option<&'a str>,
    /// After the bracket.
    #[serde(rename = "relay_port", skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// Grammar section 4: the `to=<...>, relay=..., status=... (...)` line, from any program.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Delivery<'a> {
    /// Short or long form.
    pub queue_id: &'a str,
    /// Recipient after rewriting.
    pub recipient: &'a str,
    /// Recipient before rewriting; absent when equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orig_to: Option<&'a str>,
    /// Where it went.
    #[serde(flatten)]
    pub relay: Relay<'a>,
    /// n-th use of a cached connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conn_use: Option<u32>,
    /// Seconds since arrival.
    pub delay: f64,
    /// Seconds before the queue manager.
    pub delay_before_qmgr: f64,
    /// Seconds in the active queue.
    pub delay_in_qmgr: f64,
    /// Seconds of connection setup.
    pub delay_conn_setup: f64,
    /// Seconds of transmission.
    pub delay_transmission: f64,
    /// `tls=` of Postfix 3.11.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<&'a str>,
    /// Enhanced status code.
    pub dsn: &'a str,
    /// `sent bounced deferred SOFTBOUNCE deliverable undeliverable undeliverable-but-not-cached`, as logged.
    pub status: &'a str,
    /// The text in parentheses, without them.
    pub reason: &'a str,
    /// Reply code of the remote server, when the text holds a reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_code: Option<u16>,
    /// Queue id that the remote server named (`queued as X`, `forwarded as X`): a claim, not a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_queue_id: Option<&'a str>,
    /// The text says `forwarded as` (program local): the id is of this host.
    #[serde(skip_serializing_if = "is_false")]
    pub is_forward: bool,
    /// The text or program says that mail was dropped: discard service, `250 ... discarded`.
    #[serde(skip_serializing_if = "is_false")]
    pub is_discard: bool,
    /// The line could be read in two ways (grammar 9.2.4); it must not set a final state.
    #[serde(skip_serializing_if = "is_false")]
    pub ambiguous: bool,
}

impl Delivery<'_> {
    /// Returns whether it is the result of an address probe: nothing was delivered.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        matches!(
            self.status,
            "deliverable" | "undeliverable" | "undeliverable-but-not-cached"
        )
    }
}

/// What an abnormal end says happened to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Abend {
    /// `timeout after`.
    Timeout,
    /// `lost connection after`.
    LostConnection,
    /// `too many errors after`.
    TooManyErrors,
    /// `bare <LF> received after`.
    BareLf,
}

/// How a message left the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// qmgr: all recipients are done.
    Done,
    /// postsuper: an administrator deleted it.
    Deleted,
    /// cleanup since 3.10: it was never received.
    Canceled,
    /// cleanup since 3.10: a DISCARD action.
    Discarded,
    /// qmgr: all recipients are done, but the queue file was gone.
    Missing,
}

/// What postsuper did to one message, apart from removing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuperAction {
    /// The old id ends; pickup logs the new one with `orig_id=`.
    Requeued,
    /// Into the hold queue.
    Held,
    /// Out of the hold queue.
    Released,
    /// Flagged; qmgr logs `force-expired` later.
    Expired,
}

/// What a bounce notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// `non-delivery`.
    NonDelivery,
    /// `delay`.
    Delay,
    /// `delivery status`: success trace or `sendmail -bv`.
    DeliveryStatus,
}

/// Where an inbound or outbound TLS line belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// `from` a client.
    Inbound,
    /// `to` a server.
    Outbound,
}

/// Severity word of the text (grammar 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// No word.
    Info,
    /// `warning:`.
    Warning,
    /// `error:`.
    Error,
    /// `fatal:`.
    Fatal,
    /// `panic:`.
    Panic,
}

impl Level {
    /// Returns Postfix's word for the level.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
            Self::Panic => "panic",
        }
    }
}

/// A policy statement of smtpd, postscreen, or a milter line of cleanup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Policy<'a> {
    /// Absent for NOQUEUE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<&'a str>,
    /// `reject reject_warning hold discard redirect filter bcc warn info permit delay hangup milter-reject
    /// milter-hold milter-discard proxy-reject`, as logged.
    pub action: &'a str,
    /// `RCPT`, `END-OF-MESSAGE`, `DATA content`, ...
    pub protocol_state: &'a str,
    /// Whom it was done to; absent in proxy lines.
    #[serde(flatten)]
    pub client: Option<Client<'a>>,
    /// SMTP code at the left of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_code: Option<u16>,
    /// Enhanced status code after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dsn: Option<&'a str>,
    /// The whole text between client and tail, code and dsn included.
    pub reason: &'a str,
    /// `blocked using {list}`: the DNS list's domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnsbl: Option<&'a str>,
    /// End of the line.
    #[serde(flatten)]
    pub tail: Tail<'a>,
    /// Logged by postscreen: sender, recipient and helo are hints only.
    #[serde(skip_serializing_if = "is_false")]
    pub is_postscreen: bool,
    /// Class of the rule: a word of `parse::rule_classes`.
    #[serde(skip)]
    pub rule: &'static str,
}

/// A header or body check of cleanup (or `milter_header_checks`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Content<'a> {
    /// Queue id.
    pub queue_id: &'a str,
    /// `reject warning info filter pass discard hold prepend replace redirect bcc strip`, `milter-header-*` as logged.
    pub action: &'a str,
    /// `header`, `body`, `content` or `mime-error`.
    pub part: &'a str,
    /// The checked text, up to 200 bytes; folds show as `?`.
    pub text: &'a str,
    /// The value when `text` is a Subject header, still RFC 2047 encoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a str>,
    /// `host[ip]`, `local` or `unknown`, of the rightmost tail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<&'a str>,
    /// End of the line, of the rightmost tail.
    #[serde(flatten)]
    pub tail: Tail<'a>,
    /// The administrator's text after the tail; for reject it begins with the dsn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// Other readings of the line when its text imitates a tail, rightmost first: text, origin, tail, reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_readings: Vec<ContentReading<'a>>,
}

/// One way to split a check line into text and tail (grammar 9.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ContentReading<'a> {
    /// Text left of the tail.
    pub text: &'a str,
    /// Origin in front of the tail.
    pub origin: &'a str,
    /// The tail.
    #[serde(flatten)]
    pub tail: Tail<'a>,
    /// Text after the tail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}

/// What a mail store did with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreAction {
    /// It lies in a mailbox.
    Stored,
    /// It is gone, unless something else was done with it, too.
    Discarded,
    /// It was sent on to another address.
    Redirected,
    /// The sender was told that it is not wanted.
    Rejected,
    /// It had been there already.
    Duplicate,
    /// It could not be stored.
    Failed,
    /// An absence note went to the sender.
    Replied,
    /// None went, because one had gone before.
    NoReply,
    /// Somebody was notified.
    Notified,
    /// A program got it.
    Piped,
    /// Something else, in the store's own words.
    Other,
}

impl StoreAction {
    /// Returns the word in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Discarded => "discarded",
            Self::Redirected => "redirected",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
            Self::Failed => "failed",
            Self::Replied => "replied",
            Self::NoReply => "no_reply",
            Self::Notified => "notified",
            Self::Piped => "piped",
            Self::Other => "other",
        }
    }
}

/// A statement of another mail daemon that names our ids (grammar 11). Never changes Postfix's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Neighbour<'a> {
    /// `amavis`, `rspamd`, `opendkim`, `dovecot`, `postgrey`, ...
    pub daemon: &'a str,
    /// Queue id of the message it looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<&'a str>,
    /// Queue id of the message it put back (amavis `queued_as`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued_as: Option<&'a str>,
    /// Message id as it printed it, with brackets where it prints them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<&'a str>,
    /// Its word: `Passed CLEAN`, `no action`, `stored mail into mailbox 'INBOX'`, `greylist`.
    pub verdict: &'a str,
    /// User or recipient it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a str>,
    /// The store's name of the delivery; Postfix's record ends with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<&'a str>,
    /// What a store did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<StoreAction>,
    /// Mailbox, address or why; the score of a filter (`4.54/15.00`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    /// `<a>,<b>`: whom it was for, as rspamd was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<&'a str>,
}

/// What one line means.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event<'a> {
    /// smtpd, qmqpd: `connect from`; postscreen: `CONNECT from`.
    Connect {
        /// The client.
        #[serde(flatten)]
        client: Client<'a>,
    },
    /// smtpd: `disconnect from`; postscreen: `DISCONNECT`.
    Disconnect {
        /// The client.
        #[serde(flatten)]
        client: Client<'a>,
        /// `ehlo=1 mail=1 ... commands=5`, as logged, empty before 3.0.
        commands: &'a str,
    },
    /// postscreen: `PASS NEW`, `PREGREET`, `HANGUP`, `DNSBL rank`, `ALLOWLISTED`, ...
    Postscreen {
        /// The client.
        #[serde(flatten)]
        client: Client<'a>,
        /// The word or words, as logged.
        action: &'a str,
    },
    /// smtpd: `timeout|lost connection|too many errors after X from client`.
    Abort {
        /// Since 3.10.
        #[serde(skip_serializing_if = "Option::is_none")]
        queue_id: Option<&'a str>,
        /// What happened.
        abend: Abend,
        /// `DATA`, `RCPT`, ...
        protocol_state: &'a str,
        /// Bytes of content received.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        /// The client.
        #[serde(flatten)]
        client: Client<'a>,
    },
    /// `... TLS connection established from|to`.
    Tls {
        /// Which side.
        direction: Direction,
        /// `Anonymous Untrusted Trusted Verified`.
        trust: &'a str,
        /// A connection of an earlier delivery is used again (3.4 and later).
        #[serde(skip_serializing_if = "is_false")]
        is_reused: bool,
        /// Peer.
        #[serde(flatten)]
        client: Client<'a>,
        /// `TLSv1.3`.
        protocol: &'a str,
        /// Cipher name.
        cipher: &'a str,
    },
    /// SASL authentication failed or was aborted.
    AuthFailure {
        /// The client.
        #[serde(flatten)]
        client: Client<'a>,
        /// Mechanism as the client named it.
        sasl_method: &'a str,
        /// Since 3.9; everything to the end of the line.
        #[serde(skip_serializing_if = "Option::is_none")]
        sasl_username: Option<&'a str>,
        /// Text; `aborted` when the client gave up.
        reason: &'a str,
    },
    /// smtpd, qmqpd: `client=`: a queue file was created (`queue_id` absent: before-queue filter).
    Accept {
        /// Absent for NOQUEUE.
        #[serde(skip_serializing_if = "Option::is_none")]
        queue_id: Option<&'a str>,
        /// The direct client.
        #[serde(flatten)]
        client: Client<'a>,
        /// `sasl_method=`.
        #[serde(skip_serializing_if = "Option::is_none")]
        sasl_method: Option<&'a str>,
        /// `sasl_username=`.
        #[serde(skip_serializing_if = "Option::is_none")]
        sasl_username: Option<&'a str>,
        /// `sasl_sender=`: never an identity.
        #[serde(skip_serializing_if = "Option::is_none")]
        sasl_sender: Option<&'a str>,
        /// XFORWARD: the id at the hop before the filter.
        #[serde(skip_serializing_if = "Option::is_none")]
        orig_queue_id: Option<&'a str>,
        /// XFORWARD: the client of that hop, as logged.
        #[serde(skip_serializing_if = "Option::is_none")]
        orig_client: Option<&'a str>,
    },
    /// pickup: `uid= from=`.
    Pickup {
        /// Queue id.
        queue_id: &'a str,
        /// Submitting user.
        uid: u32,
        /// What the user gave.
        sender: &'a str,
        /// The id before `postsuper -r`.
        #[serde(skip_serializing_if = "Option::is_none")]
        orig_id: Option<&'a str>,
    },
    /// cleanup: `message-id=` or `resent-message-id=`.
    MessageId {
        /// Queue id.
        queue_id: &'a str,
        /// The rest of the header as logged, with brackets; `<>` when the message had none.
        message_id: &'a str,
        /// It is the resent- form.
        #[serde(skip_serializing_if = "is_false")]
        resent: bool,
    },
    /// reject, hold, discard and their kin.
    Policy(Policy<'a>),
    /// smtpd: `proxy-accept:`.
    ProxyAccept {
        /// `END-OF-MESSAGE`.
        protocol_state: &'a str,
        /// Reply of the filter.
        reason: &'a str,
        /// Id that the filter's reply names.
        #[serde(skip_serializing_if = "Option::is_none")]
        queued_as: Option<&'a str>,
        /// End of the line.
        #[serde(flatten)]
        tail: Tail<'a>,
    },
    /// Header and body checks.
    Content(Content<'a>),
    /// qmgr: `from=, size=, nrcpt= (queue active)`.
    Active {
        /// Queue id.
        queue_id: &'a str,
        /// Envelope sender, empty for the null sender.
        sender: &'a str,
        /// Bytes.
        size: u64,
        /// Recipients at arrival.
        nrcpt: u32,
    },
    /// One attempt for one recipient.
    Delivery(Delivery<'a>),
    /// qmgr: `status=expired, returned to sender`.
    Expired {
        /// Queue id.
        queue_id: &'a str,
        /// Envelope sender.
        sender: &'a str,
        /// `expired` or `force-expired`, as logged.
        status: &'a str,
    },
    /// `removed`, by whom the program tells.
    Removed {
        /// Queue id.
        queue_id: &'a str,
        /// How.
        removal: Removal,
    },
    /// bounce: `sender non-delivery notification: C`.
    Notification {
        /// The message that the notice is about.
        queue_id: &'a str,
        /// What about.
        notice: Notice,
        /// To the postmaster instead of the sender.
        #[serde(skip_serializing_if = "is_false")]
        to_postmaster: bool,
        /// The notice's own id.
        notice_queue_id: &'a str,
    },
    /// postsuper on one message.
    Super {
        /// Queue id.
        queue_id: &'a str,
        /// What.
        action: SuperAction,
    },
    /// postsuper: `Deleted: 3 messages`.
    SuperSummary {
        /// `Deleted`, `Requeued`, `Placed on hold`, ...
        action: &'a str,
        /// How many.
        count: u64,
    },
    /// qmgr: `saving corrupt file`.
    Corrupt {
        /// Queue id.
        queue_id: &'a str,
    },
    /// smtp, lmtp, local: `passing <r> to transport=t`.
    Passing {
        /// Queue id.
        queue_id: &'a str,
        /// Recipient.
        recipient: &'a str,
        /// Transport.
        transport: &'a str,
    },
    /// smtp, lmtp: a server failed, another will be tried (`host ... said:`, `lost connection with ...`).
    AttemptNote {
        /// Absent in `connect to ...: ...`.
        #[serde(skip_serializing_if = "Option::is_none")]
        queue_id: Option<&'a str>,
        /// Whole text.
        reason: &'a str,
    },
    /// Another line that names a message and changes nothing.
    Note {
        /// Queue id.
        #[serde(skip_serializing_if = "Option::is_none")]
        queue_id: Option<&'a str>,
        /// Level.
        level: Level,
        /// Whole text after the id.
        text: &'a str,
    },
    /// Client turned away without a reject line: rate limits, address syntax, refused STARTTLS (grammar 5.1).
    Refusal {
        /// Which: `Connection rate limit exceeded`, `Illegal address syntax`, `non-SMTP command`, ...
        action: &'a str,
        /// The client.
        #[serde(flatten)]
        client: Client<'a>,
        /// Whole text.
        reason: &'a str,
    },
    /// warning, error, fatal, panic without a message, and master's notices.
    Problem {
        /// Level.
        level: Level,
        /// Text without the severity word.
        text: &'a str,
    },
    /// master, postfix-script: start, stop, reload; the version when named.
    Master {
        /// Whole text.
        text: &'a str,
        /// `3.7.11`.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<&'a str>,
    },
    /// Lines were lost here (grammar 2.10).
    Loss {
        /// How many, when told.
        #[serde(skip_serializing_if = "Option::is_none")]
        lines: Option<u64>,
        /// Whole text.
        text: &'a str,
    },
    /// Another mail daemon.
    Neighbour(Neighbour<'a>),
    /// Known and without bearing on mail (grammar 13).
    Ignored,
    /// Not of Postfix nor of a known neighbour.
    Foreign,
    /// A Postfix line that nothing here knows: counted, sampled, offered for inspection.
    Other {
        /// The id or NOQUEUE it starts with.
        #[serde(skip_serializing_if = "Option::is_none")]
        queue_id: Option<&'a str>,
        /// Whole text.
        text: &'a str,
    },
}
