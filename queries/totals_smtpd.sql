-- summary: sessions of smtpd by service, with clients, time and broken ones
-- group: traffic
-- title: Grand Totals: smtpd
-- param: since time -7d
-- param: until time now
-- param: host text
-- param: instance text
--
-- The row "all" is their sum. Encrypted: with TLS. Lost: the client went away or fell silent in the middle. Sessions whose
-- start or end is not in the log have no time.
SELECT
    coalesce(service, 'all') AS service,
    sum(count)::BIGINT AS connections,
    count(DISTINCT client_address) AS clients,
    round(sum(duration * count) / nullif(sum(count) FILTER (WHERE duration IS NOT NULL), 0), 3) AS average_seconds,
    round(max(duration), 3) AS longest_seconds,
    round(sum(duration * count), 1) AS total_seconds,
    coalesce(sum(count) FILTER (WHERE tls IS NOT NULL), 0)::BIGINT AS encrypted,
    coalesce(sum(count) FILTER (WHERE outcome <> 'closed'), 0)::BIGINT AS lost
FROM connection
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND split_part(service, '/', -1) = 'smtpd'
GROUP BY GROUPING SETS ((service), ())
HAVING count(*) > 0
ORDER BY connections DESC, grouping(service) DESC, service;
