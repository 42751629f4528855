-- summary: clients by number of refusals, with the classes of the rules
-- group: refused
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: refusals
--
-- Refusals without a client (header and body checks of local mail) are not in it.
SELECT
    client_address,
    arg_max(client_name, time) AS client_name,
    sum(count)::BIGINT AS refusals,
    string_agg(DISTINCT coalesce(rule, 'none'), ' ' ORDER BY coalesce(rule, 'none')) AS rules,
    count(DISTINCT lower(recipient)) AS recipients,
    min(time) AS first_time,
    max(time) AS last_time
FROM noqueue
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
    AND client_address IS NOT NULL
GROUP BY client_address
ORDER BY refusals DESC, last_time DESC, client_address
LIMIT $top;
