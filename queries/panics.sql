-- summary: panics of Postfix, by text
-- group: health
-- title: Panics
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
--
-- Variable parts of the text are masked, so that one cause is one row; sample is the last one in full. Counts are kept by the
-- UTC day: the days that --since and --until cut count whole.
SELECT
    service,
    template AS text,
    sum(count)::BIGINT AS number,
    min(first_time) AS first_time,
    max(last_time) AS last_time,
    arg_max(sample, last_time) AS sample
FROM event
WHERE last_time >= $since
    AND first_time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND level = 'panic'
GROUP BY service, text
ORDER BY number DESC, last_time DESC, service, text
LIMIT $top;
