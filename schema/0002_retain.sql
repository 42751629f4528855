-- Totals for metrics: they outlive the rows that they counted. One row a series; labels as Prometheus writes them.
CREATE TABLE counter (
    name VARCHAR NOT NULL,
    labels VARCHAR NOT NULL,
    value DOUBLE NOT NULL
);
