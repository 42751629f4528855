-- Lines that tell no time of their own are stored nowhere; how many a source had, and what the first looks like, is.

CREATE TABLE undated (
    source_id BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    sample VARCHAR NOT NULL
);
COMMENT ON TABLE undated IS 'Lines of a source that tell no time, with the template of the first';
