-- Mail that maillog sends: written down before it is handed over, and marked after it.

CREATE TABLE outbox (
    message_id VARCHAR NOT NULL,
    made TIMESTAMP NOT NULL,
    time TIMESTAMP NOT NULL,
    kind VARCHAR NOT NULL,
    occasion VARCHAR,
    sender VARCHAR NOT NULL,
    recipient VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    tries BIGINT NOT NULL,
    next_try TIMESTAMP,
    result VARCHAR
);
COMMENT ON TABLE outbox IS 'Mail that maillog sends, one row for each recipient';
COMMENT ON COLUMN outbox.message_id IS 'Message-ID with angle brackets; delivery_from has it, too, when the log of the mail server is read here';
COMMENT ON COLUMN outbox.time IS 'Last change of the row; while its state is unknown, when it was handed over';
COMMENT ON COLUMN outbox.occasion IS 'For what a mail to the recipient is sent once only, such as summary 2026-11-27';
COMMENT ON COLUMN outbox.message IS 'The whole message, until it is sent or given up';
COMMENT ON COLUMN outbox.state IS 'waiting, sending, unknown, sent, failed';
COMMENT ON COLUMN outbox.result IS 'What sendmail or the SMTP server said last';
