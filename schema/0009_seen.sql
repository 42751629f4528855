-- Which lines were told already, so that a line that another source tells, too, counts once (src/seen).
-- Some thousand lines a row: their keys, sorted, as bytes. A row with `is_piece` will be part of a larger one.

CREATE TABLE seen (
    id BIGINT NOT NULL,
    source_id BIGINT NOT NULL,
    first_time TIMESTAMP NOT NULL,
    last_time TIMESTAMP NOT NULL,
    lines INTEGER NOT NULL,
    is_piece BOOLEAN NOT NULL,
    keys BLOB NOT NULL
);

-- Lines of the hour that another source had told: read, and not among `lines`.
ALTER TABLE coverage ADD COLUMN known BIGINT DEFAULT 0;
