-- summary: what postscreen did with clients, by action
-- group: refused
-- title: postscreen actions
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
-- bar: number
--
-- A client can be in several rows: a session that sent too early (PREGREET) may be refused as well. Closed: nothing else was
-- logged of the session. Rows with reject have the rule.
WITH
    counted AS (
        SELECT outcome AS action, client_address, count, time
        FROM connection
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND split_part(service, '/', -1) = 'postscreen'
        UNION ALL
        SELECT action || coalesce(' ' || rule, ''), client_address, count, time
        FROM noqueue
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND split_part(service, '/', -1) = 'postscreen'
    )
SELECT
    action,
    sum(count)::BIGINT AS number,
    count(DISTINCT client_address) AS clients,
    mode(client_address ORDER BY client_address) AS busiest,
    max(time) AS last_time
FROM counted
GROUP BY action
ORDER BY number DESC, action
LIMIT $top;
