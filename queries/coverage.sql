-- summary: what was read of each host and day: lines, losses and silent hours
-- group: health
-- param: since time -7d
-- param: until time now
-- param: host text
-- param: timezone zone
-- bar: lines
--
-- What maillog can and cannot know. Silent: hours of the day, between the first and the last line of the host, of which no line
-- was read. Not understood: Postfix lines that no rule knows. Lost: what syslog said is missing.
WITH
    hours AS (
        SELECT
            host,
            hour,
            min(first_time) AS first_time,
            max(last_time) AS last_time,
            sum(lines) AS lines,
            sum(understood) AS understood,
            sum(ignored) AS ignored,
            sum("foreign") AS foreign_lines,
            sum(not_understood) AS not_understood,
            sum(lost) AS lost
        FROM coverage
        WHERE hour >= time_bucket(INTERVAL 1 HOUR, $since::TIMESTAMP)
            AND hour < $until
            AND $host IN ('', host)
        GROUP BY ALL
    ),
    spans AS (
        SELECT span.host, every.hour
        FROM (SELECT host, min(hour) AS begins, max(hour) AS ends FROM hours GROUP BY host) AS span,
            generate_series(span.begins, span.ends, INTERVAL 1 HOUR) AS every(hour)
    )
SELECT
    s.host,
    strftime(in_zone(s.hour, $timezone), '%Y-%m-%d') AS day,
    coalesce(sum(h.lines), 0)::BIGINT AS lines,
    coalesce(sum(h.understood), 0)::BIGINT AS understood,
    coalesce(sum(h.ignored), 0)::BIGINT AS ignored,
    coalesce(sum(h.foreign_lines), 0)::BIGINT AS foreign_lines,
    coalesce(sum(h.not_understood), 0)::BIGINT AS not_understood,
    coalesce(sum(h.lost), 0)::BIGINT AS lost,
    count(*) FILTER (WHERE h.hour IS NULL) AS silent_hours,
    min(h.first_time) AS first_time,
    max(h.last_time) AS last_time
FROM spans s
LEFT JOIN hours h ON h.host = s.host AND h.hour = s.hour
GROUP BY s.host, day
ORDER BY s.host, day;
