-- What the signature server counts, and who asks it.

CREATE TABLE signature (
    digest VARCHAR NOT NULL,
    count BIGINT NOT NULL,
    wl_count BIGINT NOT NULL,
    entered TIMESTAMP,
    updated TIMESTAMP,
    wl_entered TIMESTAMP,
    wl_updated TIMESTAMP
);
COMMENT ON TABLE signature IS 'How often a digest of mail was reported to the signature server';
COMMENT ON COLUMN signature.digest IS 'Digest as maillog signature digest prints it';
COMMENT ON COLUMN signature.count IS 'Reports as spam';
COMMENT ON COLUMN signature.wl_count IS 'Reports as ham';
COMMENT ON COLUMN signature.entered IS 'First report as spam';
COMMENT ON COLUMN signature.updated IS 'Last report as spam';
COMMENT ON COLUMN signature.wl_entered IS 'First report as ham';
COMMENT ON COLUMN signature.wl_updated IS 'Last report as ham';

CREATE TABLE signature_use (
    time TIMESTAMP NOT NULL,
    client_address VARCHAR,
    username VARCHAR,
    operation VARCHAR,
    digest VARCHAR,
    reply_code USMALLINT NOT NULL,
    count BIGINT NOT NULL
);
COMMENT ON TABLE signature_use IS 'Who asked the signature server what; equal requests of a second are one row';
COMMENT ON COLUMN signature_use.client_address IS 'Who asked; null in a flood';
COMMENT ON COLUMN signature_use.username IS 'User, anonymous for a request without one; null if the server does not know the user';
COMMENT ON COLUMN signature_use.operation IS 'check, report, ping, pong, info, whitelist; null for anything else';
COMMENT ON COLUMN signature_use.digest IS 'Digest; null for a request without one, and in a flood';
COMMENT ON COLUMN signature_use.reply_code IS 'Code of the reply';
COMMENT ON COLUMN signature_use.count IS 'Requests; one with several digests counts in the row of each';
