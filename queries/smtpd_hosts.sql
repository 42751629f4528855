-- summary: clients by number of connections to smtpd, with their time
-- group: traffic
-- title: Host/Domain Summary: SMTPD Connections
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
-- bar: connections
--
-- Clients without a verified name are distinguished by their address.
SELECT
    CASE WHEN client_name IS NULL OR client_name = 'unknown' THEN '[' || client_address || ']' ELSE lower(client_name) END AS client,
    sum(count)::BIGINT AS connections,
    count(DISTINCT client_address) AS addresses,
    round(sum(duration * count) / nullif(sum(count) FILTER (WHERE duration IS NOT NULL), 0), 3) AS average_seconds,
    round(max(duration), 3) AS longest_seconds,
    round(sum(duration * count), 1) AS total_seconds,
    coalesce(sum(count) FILTER (WHERE outcome <> 'closed'), 0)::BIGINT AS lost
FROM connection
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND split_part(service, '/', -1) = 'smtpd'
GROUP BY client
ORDER BY connections DESC, total_seconds DESC, client
LIMIT $top;
