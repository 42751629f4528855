-- summary: clients that broke the protocol: no SMTP, pipelining, HELO, syntax
-- group: refused
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
-- bar: number
--
-- Refusals of the classes helo, protocol, bare_lf and rate, clients that spoke no SMTP, and sessions ended for too many errors.
WITH
    broken AS (
        SELECT coalesce(rule, action) AS what, client_address, count, reason AS sample, time
        FROM noqueue
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND (rule IN ('helo', 'protocol', 'bare_lf', 'rate') OR rule IS NULL)
        UNION ALL
        SELECT outcome, client_address, count, NULL, time
        FROM connection
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND (outcome LIKE 'too many errors%' OR outcome = 'PREGREET')
    )
SELECT
    what,
    sum(count)::BIGINT AS number,
    count(DISTINCT client_address) AS clients,
    mode(client_address ORDER BY client_address) AS busiest,
    max(time) AS last_time,
    left(arg_max(sample, time), 160) AS sample
FROM broken
GROUP BY what
ORDER BY number DESC, what
LIMIT $top;
