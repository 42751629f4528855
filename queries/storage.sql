-- summary: rows by table, with the time they reach back to
-- group: health
-- bar: row_count
--
-- Rows as DuckDB estimates them. The size of the file: maillog status.
WITH
    spans AS (
        SELECT 'delivery_from' AS name, min(time) AS first_time, max(time) AS last_time FROM delivery_from
        UNION ALL SELECT 'delivery_to', min(time), max(time) FROM delivery_to
        UNION ALL SELECT 'delivery_attempt', min(time), max(time) FROM delivery_attempt
        UNION ALL SELECT 'noqueue', min(time), max(time) FROM noqueue
        UNION ALL SELECT 'connection', min(time), max(time) FROM connection
        UNION ALL SELECT 'auth', min(time), max(time) FROM auth
        UNION ALL SELECT 'event', min(first_time), max(last_time) FROM event
        UNION ALL SELECT 'log_line', min(time), max(time) FROM log_line
        UNION ALL SELECT 'neighbour', min(time), max(time) FROM neighbour
        UNION ALL SELECT 'coverage', min(first_time), max(last_time) FROM coverage
        UNION ALL SELECT 'unparsed', min(first_time), max(last_time) FROM unparsed
        UNION ALL SELECT 'audit', min(time), max(time) FROM audit
        UNION ALL SELECT 'queue_snapshot', min(time), max(time) FROM queue_snapshot
        UNION ALL SELECT 'queued_mail', min(time), max(time) FROM queued_mail
        UNION ALL SELECT 'queued_recipient', min(time), max(time) FROM queued_recipient
        UNION ALL SELECT 'signature', min(least(entered, wl_entered)), max(greatest(updated, wl_updated)) FROM signature
        UNION ALL SELECT 'signature_use', min(time), max(time) FROM signature_use
    )
SELECT
    t.table_name,
    t.estimated_size AS row_count,
    t.column_count AS columns,
    s.first_time,
    s.last_time
FROM duckdb_tables() t
LEFT JOIN spans s ON s.name = t.table_name
WHERE NOT t.internal
    AND NOT t.temporary
ORDER BY row_count DESC, t.table_name;
