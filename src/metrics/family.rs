//! The names that are offered, as `kumina/postfix_exporter` and its kin chose them, then our own.
//!
//! Not offered: `postfix_smtp_deferred_messages_total` and `postfix_smtp_status_deferred` (always 0 or double in the
//! exporters), `postfix_showq_*` (`postfix_queue_*` says the same under names of our own: what Postfix lists, where
//! the service may list it, else what the log knows).

/// What kind of series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows; stored.
    Counter,
    /// Buckets, sum and count; stored.
    Histogram(&'static [f64]),
    /// Goes up and down; made at each scrape.
    Gauge,
}

/// One family of series.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Name.
    pub name: &'static str,
    /// Kind.
    pub kind: Kind,
    /// Help.
    pub help: &'static str,
}

/// Seconds.
pub const DELAYS: &[f64] = &[0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0];
/// Recipients.
pub const RECIPIENTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
/// Bytes.
pub const SIZES: &[f64] = &[1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// Seconds of a query.
pub const QUERIES: &[f64] = &[0.001, 0.01, 0.1, 1.0, 10.0, 60.0];

/// All families, in the order of their output.
pub const FAMILIES: &[Family] = &[
    gauge("postfix_up", "Whether the log source is being read."),
    counter(
        "postfix_unsupported_log_entries_total",
        "Postfix log lines that maillog does not understand.",
    ),
    counter("postfix_smtpd_connects_total", "Connections to smtpd."),
    counter(
        "postfix_smtpd_disconnects_total",
        "Ends of connections to smtpd.",
    ),
    counter(
        "postfix_smtpd_connections_lost_total",
        "Connections to smtpd that were lost, by the stage reached.",
    ),
    counter(
        "postfix_smtpd_forward_confirmed_reverse_dns_errors_total",
        "Clients whose name does not resolve to their address.",
    ),
    counter(
        "postfix_smtpd_messages_processed_total",
        "Messages that smtpd began to receive, by SASL mechanism (empty: none).",
    ),
    counter(
        "postfix_smtpd_messages_rejected_total",
        "Refusals of smtpd, by reply code.",
    ),
    counter(
        "postfix_smtpd_sasl_authentication_failures_total",
        "Failed logins at smtpd.",
    ),
    counter(
        "postfix_smtpd_tls_connections_total",
        "TLS sessions with clients.",
    ),
    counter(
        "postfix_cleanup_messages_processed_total",
        "Messages that cleanup processed.",
    ),
    counter(
        "postfix_cleanup_messages_rejected_total",
        "Messages that header or body checks refused.",
    ),
    counter(
        "postfix_cleanup_messages_not_accepted_total",
        "Messages that cleanup did not accept, milters included.",
    ),
    histogram(
        "postfix_qmgr_messages_inserted_recipients",
        RECIPIENTS,
        "Recipients of messages entering the active queue, each time they do.",
    ),
    histogram(
        "postfix_qmgr_messages_inserted_size_bytes",
        SIZES,
        "Size of messages entering the active queue, each time they do.",
    ),
    counter(
        "postfix_qmgr_messages_removed_total",
        "Messages that left the queue.",
    ),
    counter(
        "postfix_qmgr_messages_expired_total",
        "Messages returned because they were in the queue too long.",
    ),
    counter(
        "postfix_smtp_messages_processed_total",
        "Delivery attempts of smtp, by outcome.",
    ),
    counter(
        "postfix_smtp_deferred_messages_by_dsn_total",
        "Deferred attempts of smtp, by enhanced status code.",
    ),
    counter(
        "postfix_smtp_bounced_messages_by_dsn_total",
        "Bounced attempts of smtp, by enhanced status code.",
    ),
    counter(
        "postfix_smtp_connection_timed_out_total",
        "Connections of smtp that timed out.",
    ),
    counter(
        "postfix_smtp_tls_connections_total",
        "TLS sessions with servers.",
    ),
    histogram(
        "postfix_smtp_delivery_delay_seconds",
        DELAYS,
        "Delays of smtp deliveries, by stage.",
    ),
    histogram(
        "postfix_lmtp_delivery_delay_seconds",
        DELAYS,
        "Delays of lmtp deliveries, by stage.",
    ),
    histogram(
        "postfix_pipe_delivery_delay_seconds",
        DELAYS,
        "Delays of pipe deliveries, by stage and relay.",
    ),
    counter(
        "postfix_bounce_non_delivery_notification_total",
        "Non-delivery notices sent.",
    ),
    counter(
        "postfix_virtual_delivered_total",
        "Mail delivered to virtual mailboxes.",
    ),
    counter(
        "postfix_deliveries_total",
        "Delivery attempts, by agent, direction and outcome.",
    ),
    counter(
        "postfix_delivery_failures_total",
        "Attempts that were deferred or bounced.",
    ),
    counter(
        "postfix_rejects_total",
        "Refusals, by service, stage, reply code, enhanced status code and class of the rule.",
    ),
    counter("postfix_postscreen_actions_total", "What postscreen did."),
    counter("postfix_milter_actions_total", "What milters had done."),
    counter("postfix_login_failures_total", "Failed logins."),
    counter(
        "postfix_auth_messages_total",
        "Messages from logged-in clients, by SASL mechanism.",
    ),
    gauge(
        "postfix_queue_messages",
        "Messages in the queue, as Postfix lists it where the service may ask it, else according to the log.",
    ),
    gauge(
        "postfix_queue_oldest_age_seconds",
        "Age of the oldest message in the queue, from the same.",
    ),
    counter(
        "postfix_destination_deliveries_total",
        "Delivery attempts to the domains named in the settings; all others are one.",
    ),
    counter(
        "postfix_tls_deliveries_total",
        "Delivery attempts by TLS level (Postfix 3.11 and later), and what it fell back to.",
    ),
    counter("maillog_ingest_lines_total", "Log lines read, by result."),
    counter("maillog_ingest_bytes_total", "Bytes of log read."),
    counter(
        "maillog_source_gaps_total",
        "Places where lines are missing.",
    ),
    counter(
        "maillog_pruned_rows_total",
        "Rows that retention or erasure deleted.",
    ),
    counter(
        "maillog_signature_packets_total",
        "Packets to the signature server, by operation and code of the reply (0: none).",
    ),
    gauge(
        "maillog_ingest_lag_seconds",
        "Time since the latest log entry of a source that was read.",
    ),
    gauge(
        "maillog_last_event_timestamp_seconds",
        "Time of the latest log line stored of a host.",
    ),
    gauge(
        "maillog_last_commit_timestamp_seconds",
        "Time of the last commit.",
    ),
    gauge("maillog_rows", "Rows stored."),
    gauge("maillog_database_size_bytes", "Size of the database file."),
    gauge(
        "maillog_database_free_bytes",
        "Free space inside the database file.",
    ),
    gauge("maillog_wal_size_bytes", "Size of the write-ahead log."),
    gauge(
        "maillog_database_memory_bytes",
        "Memory that the database counts as its own.",
    ),
    gauge(
        "process_resident_memory_bytes",
        "Memory of the whole process.",
    ),
    gauge(
        "maillog_open_messages",
        "Messages in memory that have not left the queue.",
    ),
    gauge("maillog_build_info", "Version of maillog, as a label."),
];

const fn counter(name: &'static str, help: &'static str) -> Family {
    Family {
        name,
        kind: Kind::Counter,
        help,
    }
}

const fn histogram(name: &'static str, buckets: &'static [f64], help: &'static str) -> Family {
    Family {
        name,
        kind: Kind::Histogram(buckets),
        help,
    }
}

const fn gauge(name: &'static str, help: &'static str) -> Family {
    Family {
        name,
        kind: Kind::Gauge,
        help,
    }
}
