-- summary: failed SASL logins by user, with networks and later success
-- group: logins
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
-- bar: failures
--
-- Postfix logs the user of a failure since 3.9 only; the row without a user holds all others. Succeeded: logins of the user that
-- worked after the first failure.
WITH
    tried AS (
        SELECT
            sasl_username,
            sum(count) AS failures,
            count(DISTINCT ip_network(client_address)) AS networks,
            mode(client_address ORDER BY client_address) AS usual_address,
            mode(reason ORDER BY reason) AS reason,
            min(time) AS first_time,
            max(time) AS last_time
        FROM auth
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND NOT ok
        GROUP BY sasl_username
    ),
    worked AS (
        SELECT t.sasl_username, sum(a.count) AS succeeded
        FROM tried t
        JOIN auth a ON a.sasl_username = t.sasl_username
        WHERE a.time >= $since
            AND a.time < $until
            AND a.ok
            AND a.time > t.first_time
        GROUP BY t.sasl_username
    )
SELECT
    t.sasl_username AS user,
    t.failures::BIGINT AS failures,
    t.networks,
    t.usual_address,
    coalesce(w.succeeded, 0)::BIGINT AS succeeded,
    t.reason,
    t.first_time,
    t.last_time
FROM tried t
LEFT JOIN worked w ON w.sasl_username = t.sasl_username
ORDER BY failures DESC, t.last_time DESC, user
LIMIT $top;
