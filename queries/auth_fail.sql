-- summary: failed SASL logins by client network, with the users tried
-- group: logins
-- title: Failed logins by client network
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
-- bar: failures
--
-- Network: /24 of IPv4, /64 of IPv6. Users are logged since Postfix 3.9 only. Succeeded: logins from the same network that
-- worked in the same time; failures with some of those are mostly a mistyped password, or one that was guessed.
SELECT
    ip_network(client_address) AS network,
    coalesce(sum(count) FILTER (WHERE NOT ok), 0)::BIGINT AS failures,
    coalesce(sum(count) FILTER (WHERE ok), 0)::BIGINT AS succeeded,
    count(DISTINCT client_address) FILTER (WHERE NOT ok) AS addresses,
    count(DISTINCT sasl_username) FILTER (WHERE NOT ok) AS users,
    mode(sasl_username ORDER BY sasl_username) FILTER (WHERE NOT ok) AS usual_user,
    mode(client_name ORDER BY client_name) FILTER (WHERE NOT ok) AS usual_name,
    min(time) FILTER (WHERE NOT ok) AS first_time,
    max(time) FILTER (WHERE NOT ok) AS last_time
FROM auth
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
GROUP BY network
HAVING failures > 0
ORDER BY failures DESC, last_time DESC, network
LIMIT $top;
