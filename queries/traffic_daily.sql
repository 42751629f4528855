-- summary: received, delivered, deferred, bounced, expired and rejected by the day
-- group: traffic
-- title: Per-Day Traffic Summary
-- param: since time -30d
-- param: until time now
-- param: domain domain
-- param: host text
-- param: instance text
-- param: timezone zone
-- bar: received
--
-- Counts as in totals: a mail that went through several queues counts once. Deferred counts attempts. The first and the last day may be
-- cut by --since and --until.
WITH
    happened AS (
        SELECT time_bucket(INTERVAL 15 MINUTE, time) AS quarter, 'received' AS what, count(*) AS number
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(sender), $domain))
            AND root_id = id
            AND origin <> 'bounce'
            AND status NOT IN ('receiving', 'canceled', 'rejected')
        GROUP BY ALL
        UNION ALL
        SELECT time_bucket(INTERVAL 15 MINUTE, time), status, count(*)
        FROM delivery_to
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(recipient), $domain))
            AND status IN ('sent', 'bounced', 'expired')
        GROUP BY ALL
        UNION ALL
        SELECT time_bucket(INTERVAL 15 MINUTE, a.time), 'deferred', count(*)
        FROM attempt a
        JOIN delivery_to t ON t.id = a.to_id
        WHERE a.time >= $since
            AND a.time < $until
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
            AND a.dsn LIKE '4.%'
        GROUP BY ALL
        UNION ALL
        SELECT time_bucket(INTERVAL 15 MINUTE, time), 'rejected', sum(count)
        FROM noqueue
        WHERE action NOT IN ('non-SMTP command', 'Refusing STARTTLS request')
            AND time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
        GROUP BY ALL
    ),
    filled AS (
        SELECT quarter, what, number FROM happened
        UNION ALL
        SELECT quarter, '', 0
        FROM (SELECT min(quarter) AS begins, max(quarter) AS ends FROM happened) AS span,
            generate_series(span.begins, span.ends, INTERVAL 15 MINUTE) AS every(quarter)
    )
SELECT
    strftime(in_zone(quarter, $timezone), '%Y-%m-%d') AS day,
    coalesce(sum(number) FILTER (WHERE what = 'received'), 0)::BIGINT AS received,
    coalesce(sum(number) FILTER (WHERE what = 'sent'), 0)::BIGINT AS delivered,
    coalesce(sum(number) FILTER (WHERE what = 'deferred'), 0)::BIGINT AS deferred,
    coalesce(sum(number) FILTER (WHERE what = 'bounced'), 0)::BIGINT AS bounced,
    coalesce(sum(number) FILTER (WHERE what = 'expired'), 0)::BIGINT AS expired,
    coalesce(sum(number) FILTER (WHERE what = 'rejected'), 0)::BIGINT AS rejected
FROM filled
GROUP BY day
ORDER BY day;
