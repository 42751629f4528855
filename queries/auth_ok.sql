-- summary: SASL logins by user and method, with addresses
-- group: logins
-- title: Logins by user
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
-- param: user text -- Only this user
-- bar: logins
--
-- A login counts once a session, and only where mail was then sent: before that Postfix does not log success.
SELECT
    sasl_username AS user,
    string_agg(DISTINCT sasl_method, ' ' ORDER BY sasl_method) AS methods,
    sum(count)::BIGINT AS logins,
    count(DISTINCT client_address) AS addresses,
    mode(client_address ORDER BY client_address) AS usual_address,
    max(time) AS last_time
FROM auth
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ok
    AND $user IN ('', sasl_username)
GROUP BY sasl_username
ORDER BY logins DESC, last_time DESC, user
LIMIT $top;
