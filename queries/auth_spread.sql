-- summary: users seen from many networks, with those never seen before
-- group: logins
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
-- param: days count 30 -- Compare with so many days before
-- param: least count 2 -- Only users with at least this many networks
-- bar: networks
--
-- Network: /24 of IPv4, /64 of IPv6. New: networks the user did not log in from in the days before; a user without any login
-- then has them all new. Busiest hour: most logins within one hour.
WITH
    logins AS (
        SELECT
            sasl_username,
            ip_network(client_address) AS network,
            client_address,
            time_bucket(INTERVAL 1 HOUR, time) AS hour,
            sum(count) AS logins,
            max(time) AS last_time
        FROM auth
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ok
        GROUP BY ALL
    ),
    before AS (
        SELECT DISTINCT sasl_username, ip_network(client_address) AS network
        FROM auth
        WHERE time >= $since::TIMESTAMP - to_days($days::INTEGER)
            AND time < $since
            AND ok
    ),
    hours AS (
        SELECT sasl_username, hour, sum(logins) AS logins
        FROM logins
        GROUP BY ALL
    ),
    busiest AS (
        SELECT sasl_username, max(logins) AS logins
        FROM hours
        GROUP BY sasl_username
    )
SELECT
    l.sasl_username AS user,
    count(DISTINCT l.network) AS networks,
    count(DISTINCT l.network) FILTER (WHERE b.network IS NULL) AS new_networks,
    count(DISTINCT l.client_address) AS addresses,
    sum(l.logins)::BIGINT AS logins,
    any_value(h.logins)::BIGINT AS busiest_hour,
    max(l.last_time) AS last_time
FROM logins l
JOIN busiest h ON h.sasl_username = l.sasl_username
LEFT JOIN before b ON b.sasl_username = l.sasl_username AND b.network = l.network
GROUP BY l.sasl_username
HAVING count(DISTINCT l.network) >= $least
ORDER BY networks DESC, new_networks DESC, logins DESC, user
LIMIT $top;
