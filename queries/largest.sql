-- summary: the largest mails
-- group: senders and recipients
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: size
--
-- The recipient is one example; fate has the words of all, at the queue that decided.
WITH
    chosen AS (
        SELECT id, time, host, queue_id, sender, size, nrcpt, status
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(sender), $domain))
            AND root_id = id
            AND status NOT IN ('receiving', 'canceled', 'rejected')
            AND size IS NOT NULL
        ORDER BY size DESC, time DESC, id DESC
        LIMIT $top
    ),
    fate AS (
        SELECT
            r.id,
            min(t.recipient) AS recipient,
            count(*) AS recipients,
            string_agg(DISTINCT t.status, ' ' ORDER BY t.status) AS fate
        FROM chosen r
        JOIN delivery_from f ON f.root_id = r.id
        JOIN delivery_to t ON t.from_id = f.id
        WHERE f.time >= $since - INTERVAL 1 DAY
            AND t.status NOT IN ('filtered', 'relayed', 'forwarded', 'requeued')
        GROUP BY r.id
    )
SELECT
    c.time,
    c.queue_id,
    c.size,
    c.nrcpt,
    CASE c.sender WHEN '' THEN '<>' ELSE c.sender END AS sender,
    f.recipient,
    coalesce(f.fate, c.status) AS fate
FROM chosen c
LEFT JOIN fate f ON f.id = c.id
ORDER BY c.size DESC, c.time DESC, c.id DESC;
