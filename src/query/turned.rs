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

/// Returns the condition under which a refusal is shown: a message that was refused as a whole is one event, told by the rows of its
/// recipients where they are among the hits.
pub(super) fn once(source: &str) -> String {
    format!(
        "NOT (s.kind = 'refused' AND s.from_id IS NOT NULL\n    \
         AND (s.protocol_state NOT IN ('CONNECT', 'HELO', 'EHLO', 'MAIL', 'RCPT') OR s.service = 'cleanup' OR ends_with(s.service, '/cleanup'))\n    \
         AND s.from_id IN (SELECT from_id FROM {source} WHERE kind = 'mail' AND message_status = 'rejected'))"
    )
}
