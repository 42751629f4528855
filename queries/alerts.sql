-- summary: what needs a look: bounces, silence, blocks, new causes, growing queue, faults
-- group: delivery
-- param: at time now
-- param: host text
-- param: instance text
-- param: hours count 24 -- Look at so many hours
-- param: share number 10 -- Bounces of this share of recipients, in percent
-- param: silence number 3 -- Hours without mail or refusals
--
-- Compared with the seven days before. What is looked for:
--   bounces      more than --share percent of at least 20 recipients of a domain bounced
--   silence      a host logged mail before, and nothing for --silence hours up to the end of what was read of it, or up to now
--   blocked      other servers refuse mail because of our address or reputation
--   new cause    a failure text with at least 3 recipients that the seven days before did not have
--   queue        more waits that is older than an hour, twice as much as a day ago
--   fault        fatal errors and panics of Postfix
--   lost log     syslog said that lines are missing
WITH
    late AS (
        SELECT t.recipient, t.status, t.dsn, t.reason, t.relay_name, t.time
        FROM delivery_to t
        WHERE t.time >= $at::TIMESTAMP - to_hours($hours)
            AND t.time < $at::TIMESTAMP
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND t.status NOT IN ('filtered', 'relayed', 'forwarded', 'requeued')
    ),
    failed AS (
        SELECT
            a.time >= $at::TIMESTAMP - to_hours($hours) AS is_late,
            regexp_replace(regexp_replace(a.reason, '<[^<> ]*>|\[[^\] ]*\]', '', 'g'), '[^ ]*[0-9@.][^ ]*', '#', 'g') AS cause,
            a.reason,
            a.relay_name,
            CASE WHEN contains(t.recipient, '@') THEN lower(split_part(t.recipient, '@', -1)) ELSE '' END AS domain,
            a.to_id,
            a.time
        FROM attempt a
        JOIN delivery_to t ON t.id = a.to_id
        WHERE a.time >= $at::TIMESTAMP - to_hours($hours) - INTERVAL 7 DAY
            AND a.time < $at::TIMESTAMP
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND (a.dsn LIKE '4.%' OR a.dsn LIKE '5.%')
    ),
    heard AS (
        SELECT host, time FROM delivery_from WHERE time >= $at::TIMESTAMP - INTERVAL 8 DAY AND time < $at::TIMESTAMP
        UNION ALL
        SELECT host, time FROM noqueue WHERE time >= $at::TIMESTAMP - INTERVAL 8 DAY AND time < $at::TIMESTAMP
    ),
    waiting AS (
        SELECT
            count(*) FILTER (WHERE time < $at::TIMESTAMP - INTERVAL 1 HOUR AND (removed IS NULL OR removed > $at::TIMESTAMP)) AS today,
            count(*) FILTER (
                WHERE time < $at::TIMESTAMP - INTERVAL 25 HOUR AND (removed IS NULL OR removed > $at::TIMESTAMP - INTERVAL 24 HOUR)
            ) AS yesterday
        FROM delivery_from
        WHERE time >= $at::TIMESTAMP - INTERVAL 35 DAY
            AND time < $at::TIMESTAMP
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND status NOT IN ('receiving', 'held')
    ),
    found AS (
        SELECT 1 AS n, 'bounces' AS alert, CASE WHEN contains(recipient, '@') THEN lower(split_part(recipient, '@', -1)) ELSE '' END AS subject,
            round(100.0 * count(*) FILTER (WHERE status IN ('bounced', 'expired')) / count(*), 1) AS number,
            arg_max(reason, time) FILTER (WHERE status IN ('bounced', 'expired')) AS detail
        FROM late
        GROUP BY subject
        HAVING count(*) >= 20 AND number >= $share
        UNION ALL
        SELECT 2, 'silence', host, round(epoch($at::TIMESTAMP - max(time)) / 3600, 1), 'hours; last mail or refusal at ' || max(time) || ' UTC'
        FROM heard
        WHERE $host IN ('', host)
        GROUP BY host
        HAVING epoch($at::TIMESTAMP - max(time)) > 3600 * $silence
        UNION ALL
        SELECT 3, 'blocked', domain, count(DISTINCT to_id), arg_max(reason, time)
        FROM failed
        WHERE is_late
            AND regexp_matches(reason, '(?i)block(ed|list)|black ?list|reputation|spamhaus|barracuda|banned|\[TSS0|denylist|poor sender|rbl')
        GROUP BY domain
        UNION ALL
        SELECT 4, 'new cause', min(relay_name), count(DISTINCT to_id), arg_max(reason, time)
        FROM failed
        GROUP BY cause
        HAVING bool_and(is_late)
            AND count(DISTINCT to_id) >= 3
            AND (SELECT bool_or(NOT is_late) FROM failed)
        UNION ALL
        SELECT 5, 'queue', 'older than an hour', today, 'a day ago: ' || yesterday
        FROM waiting
        WHERE today >= 10 AND today >= 2 * yesterday
        UNION ALL
        SELECT CASE level WHEN 'loss' THEN 7 ELSE 6 END, CASE level WHEN 'loss' THEN 'lost log' ELSE 'fault' END,
            host || ' ' || service, sum(count), arg_max(sample, last_time)
        FROM event
        WHERE last_time >= $at::TIMESTAMP - to_hours($hours)
            AND first_time < $at::TIMESTAMP
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND level IN ('fatal', 'panic', 'loss')
        GROUP BY level, host, service
    )
SELECT
    alert,
    subject,
    number::DOUBLE AS number,
    left(detail, 200) AS detail
FROM found
ORDER BY n, number DESC, subject, detail;
