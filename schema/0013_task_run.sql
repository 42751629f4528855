-- What runs beside reading and storing in a service: one row a task, of its last run.

CREATE TABLE task_run (
    name VARCHAR NOT NULL,
    schedule VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    due TIMESTAMP,
    started TIMESTAMP,
    ended TIMESTAMP,
    next_run TIMESTAMP,
    failures UINTEGER NOT NULL,
    result VARCHAR NOT NULL
);
COMMENT ON TABLE task_run IS 'Tasks of the service beside reading and storing, with their last run';
COMMENT ON COLUMN task_run.state IS 'starting, running, waiting, done, failed';
COMMENT ON COLUMN task_run.due IS 'Time that the last completed run was for';
COMMENT ON COLUMN task_run.failures IS 'Failures since the last completed run';
