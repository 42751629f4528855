-- summary: senders by number of messages
-- group: senders and recipients
-- title: Senders by message count
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: messages
--
-- Messages are counted at their first queue, recipients as the queue manager found them there (after aliases). Notices of
-- Postfix itself are not in it; <> is mail that came in with the null sender. Messages whose sender is not in the log are left
-- out.
SELECT
    CASE sender WHEN '' THEN '<>' ELSE lower(sender) END AS sender,
    count(*) AS messages,
    coalesce(sum(nrcpt), 0)::BIGINT AS recipients,
    coalesce(sum(size), 0)::BIGINT AS bytes
FROM delivery_from
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(sender), $domain))
    AND root_id = id
    AND origin <> 'bounce'
    AND status NOT IN ('receiving', 'canceled', 'rejected')
    AND sender IS NOT NULL
GROUP BY ALL
ORDER BY messages DESC, bytes DESC, sender
LIMIT $top;
