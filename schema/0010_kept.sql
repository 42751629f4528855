-- Log that retention leaves alone for longer than the settings say: `maillog ingest --keep DAYS`. One row a host and span of time;
-- without a host all log, while an import is under way that will tell its hosts.

CREATE TABLE kept (
    host VARCHAR,
    first_time TIMESTAMP NOT NULL,
    last_time TIMESTAMP NOT NULL,
    until TIMESTAMP NOT NULL
);
