-- summary: relays by how long connecting and sending took
-- group: delivery
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- param: least count 5 -- Only relays with at least this many deliveries
-- bar: both_p90
--
-- Seconds, of deliveries that succeeded. Sorted by the time that connecting and sending took nine times out of ten.
SELECT
    coalesce(relay_name, relay) AS relay,
    count(*) AS deliveries,
    round(quantile_cont(delay_conn_setup, 0.5), 2) AS connecting_p50,
    round(quantile_cont(delay_conn_setup, 0.9), 2) AS connecting_p90,
    round(quantile_cont(delay_transmission, 0.5), 2) AS sending_p50,
    round(quantile_cont(delay_transmission, 0.9), 2) AS sending_p90,
    round(quantile_cont(delay_conn_setup + delay_transmission, 0.9), 2) AS both_p90
FROM delivery_to
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(recipient), $domain))
    AND status = 'sent'
    AND relay IS NOT NULL
    AND delay_conn_setup IS NOT NULL
GROUP BY ALL
HAVING count(*) >= $least
ORDER BY both_p90 DESC, deliveries DESC, relay
LIMIT $top;
