-- summary: sessions that broke off, by how and at which command
-- group: refused
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: host text
-- param: instance text
-- bar: sessions
--
-- Lost: the client went away; timeout: it fell silent. The last command says much: CONNECT and EHLO are scanners, AUTH is
-- guessing of passwords, STARTTLS is a failed handshake, DATA is a broken line or a wrong MTU.
SELECT
    outcome,
    service,
    sum(count)::BIGINT AS sessions,
    count(DISTINCT client_address) AS clients,
    mode(client_address ORDER BY client_address) AS busiest,
    max(time) AS last_time
FROM connection
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND (outcome LIKE 'lost connection%' OR outcome LIKE 'timeout%' OR outcome LIKE 'too many%' OR outcome = 'HANGUP')
GROUP BY ALL
ORDER BY sessions DESC, outcome, service
LIMIT $top;
