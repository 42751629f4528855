-- summary: mail put on hold, by reason: what still is, and all actions
-- group: queue
-- title: message hold detail
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
--
-- Rows "message held" are on hold now; the example is a client. Rows "action" count what access tables, header_checks and
-- milters did, with the text masked; the example is one of them. postsuper -h is no action.
WITH
    counted AS (
        SELECT
            coalesce(left(regexp_replace(reason, '<[^<> ]*@[^<> ]*>', '<...>', 'g'), 160), '') AS reason,
            'message held' AS what,
            count(*) AS number,
            min(client_address) AS example,
            max(updated) AS last_time
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND status = 'held'
        GROUP BY ALL
        UNION ALL
        SELECT template, 'action', sum(count), min(sample), max(last_time)
        FROM event
        WHERE last_time >= $since
            AND first_time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND level = 'policy'
            AND split_part(template, ':', 1) IN ('hold', 'milter-hold')
        GROUP BY ALL
    )
SELECT
    what,
    reason,
    number::BIGINT AS number,
    example,
    last_time
FROM counted
ORDER BY what DESC, number DESC, last_time DESC, reason
LIMIT $top;
