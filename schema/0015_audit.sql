-- Who asked what, and who acted upon the queue.

CREATE TABLE audit (
    time TIMESTAMP NOT NULL,
    who VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    hits BIGINT
);
COMMENT ON TABLE audit IS 'What was asked of the service, and what was done to the queue';
COMMENT ON COLUMN audit.who IS 'User of this machine, or user of TCP';
COMMENT ON COLUMN audit.origin IS 'unix, the address of a TCP client, or command';
COMMENT ON COLUMN audit.what IS 'find with its query, sql with its statement, call with the name of the verb, queue with action and ids';
COMMENT ON COLUMN audit.scope IS 'Whose mail was seen: all, nothing, or addresses and domains';
COMMENT ON COLUMN audit.hits IS 'Rows of the answer, mails acted upon';
