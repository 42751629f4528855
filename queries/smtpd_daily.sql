-- summary: connections to smtpd and their time by the day
-- group: traffic
-- title: Per-Day SMTPD Connection Summary
-- param: since time -30d
-- param: until time now
-- param: host text
-- param: instance text
-- param: timezone zone
-- bar: connections
--
-- All services of smtpd together. A session belongs to the time of its start.
WITH
    sessions AS (
        SELECT
            time_bucket(INTERVAL 15 MINUTE, time) AS quarter,
            sum(count) AS connections,
            sum(count) FILTER (WHERE duration IS NOT NULL) AS timed,
            sum(duration * count) AS seconds,
            max(duration) AS longest
        FROM connection
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND split_part(service, '/', -1) = 'smtpd'
        GROUP BY ALL
    ),
    filled AS (
        SELECT quarter, connections, timed, seconds, longest FROM sessions
        UNION ALL
        SELECT quarter, 0, 0, 0, 0
        FROM (SELECT min(quarter) AS begins, max(quarter) AS ends FROM sessions) AS span,
            generate_series(span.begins, span.ends, INTERVAL 15 MINUTE) AS every(quarter)
    )
SELECT
    strftime(in_zone(quarter, $timezone), '%Y-%m-%d') AS day,
    sum(connections)::BIGINT AS connections,
    round(sum(seconds) / nullif(sum(timed), 0), 3) AS average_seconds,
    round(max(longest), 3) AS longest_seconds,
    round(sum(seconds), 1) AS total_seconds
FROM filled
GROUP BY day
ORDER BY day;
