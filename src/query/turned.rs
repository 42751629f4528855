//! Turned: messages that were refused as a whole. Each is one hit a recipient, and by its code refused or put off for now.

/// Whether the client of a refused recipient, message, refusal was asked to come again: by status code, reply code, text.
pub(super) const FOR_NOW: [&str; 3] = [
    "CASE WHEN t.dsn IS NOT NULL THEN t.dsn LIKE '4.%' WHEN t.reply_code IS NOT NULL THEN t.reply_code BETWEEN 400 AND 499 \
     ELSE coalesce(regexp_matches(coalesce(t.reason, f.reason), '^4([0-9][0-9][ -]|[.][0-9])') \
     OR ends_with(coalesce(t.reason, f.reason), 'message not accepted, try again later'), false) END",
    "coalesce(regexp_matches(f.reason, '^4([0-9][0-9][ -]|[.][0-9])') \
     OR ends_with(f.reason, 'message not accepted, try again later'), false)",
    "CASE WHEN n.dsn IS NOT NULL THEN n.dsn LIKE '4.%' ELSE coalesce(n.reply_code BETWEEN 400 AND 499, false) END",
];

/// The message that a refusal turned away as a whole; 0 where it refused something else. Such a message is one event, told by the rows of
/// its recipients where they are among the hits.
pub(super) const MESSAGE: &str = "CASE WHEN n.from_id IS NOT NULL AND (n.protocol_state NOT IN ('CONNECT', 'HELO', 'EHLO', 'MAIL', 'RCPT') \
     OR n.service = 'cleanup' OR ends_with(n.service, '/cleanup')) THEN n.from_id ELSE 0::BIGINT END";

/// These messages, of all refusals that match.
pub(super) const ASKED: &str = "SELECT from_id FROM hit WHERE part = 2 AND from_id <> 0";
