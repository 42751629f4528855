-- summary: refusals by DNS list, ranked, with what only that list refused
-- group: refused
-- title: DNS lists by number of refusals
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: refusals
--
-- Alone: clients that no other list turned away in this time, so what would be lost without the list. smtpd stops at the
-- first list that has the client, so the order of the lists in the settings matters.
WITH
    hits AS (
        SELECT
            coalesce(lower(dnsbl), regexp_extract(reason, 'blocked using ([^ ;,]+)', 1)) AS dnsbl,
            client_address,
            service,
            sum(count) AS refusals,
            max(time) AS last_time
        FROM noqueue
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
            AND rule = 'dnsbl'
        GROUP BY ALL
    ),
    alone AS (
        SELECT client_address
        FROM hits
        GROUP BY client_address
        HAVING count(DISTINCT dnsbl) = 1
    )
SELECT
    rank() OVER (ORDER BY sum(h.refusals) DESC) AS rank,
    h.dnsbl,
    sum(h.refusals)::BIGINT AS refusals,
    round(100.0 * sum(h.refusals) / sum(sum(h.refusals)) OVER (), 1) AS percent,
    count(DISTINCT h.client_address) AS clients,
    count(DISTINCT a.client_address) AS alone,
    coalesce(sum(h.refusals) FILTER (WHERE split_part(h.service, '/', -1) = 'postscreen'), 0)::BIGINT AS by_postscreen,
    max(h.last_time) AS last_time
FROM hits h
LEFT JOIN alone a ON a.client_address = h.client_address
GROUP BY h.dnsbl
ORDER BY rank, h.dnsbl
LIMIT $top;
