-- summary: senders by number of messages
-- param: since time -7d
-- param: until time now
-- param: top count 20
--
-- Messages are counted at their first queue, recipients as the queue manager found them there (after aliases). Notices of
-- Postfix itself are not in it; an empty sender is mail that came in with the null sender.
SELECT
    lower(sender) AS sender,
    count(*) AS messages,
    coalesce(sum(nrcpt), 0)::BIGINT AS recipients,
    coalesce(sum(size), 0)::BIGINT AS bytes
FROM delivery_from
WHERE time >= $since
    AND time < $until
    AND root_id = id
    AND origin <> 'bounce'
    AND status NOT IN ('receiving', 'canceled', 'rejected')
GROUP BY ALL
ORDER BY messages DESC, bytes DESC, sender
LIMIT $top;
