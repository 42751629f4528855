-- summary: sessions of postscreen by host, with clients and time
-- group: traffic
-- title: Grand Totals: postscreen
-- param: since time -7d
-- param: until time now
-- param: host text
-- param: instance text
--
-- The row "all" is their sum. What postscreen did with them: see postscreen.
SELECT
    coalesce(host, 'all') AS host,
    sum(count)::BIGINT AS connections,
    count(DISTINCT client_address) AS clients,
    round(sum(duration * count) / nullif(sum(count) FILTER (WHERE duration IS NOT NULL), 0), 3) AS average_seconds,
    round(max(duration), 3) AS longest_seconds,
    round(sum(duration * count), 1) AS total_seconds
FROM connection
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND split_part(service, '/', -1) = 'postscreen'
GROUP BY GROUPING SETS ((host), ())
HAVING count(*) > 0
ORDER BY connections DESC, grouping(host) DESC, host;
