-- summary: mail that leaves again: .forward files and aliases to other domains
-- group: senders and recipients
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: mails
--
-- Rows of kind forward come from .forward files; alias from alias tables that lead to another domain. Failed: bounced or expired
-- on the way out, which strict DMARC domains cause.
WITH
    onward AS (
        SELECT
            'forward' AS kind,
            lower(coalesce(t.orig_to, t.recipient)) AS address,
            lower(o.recipient) AS target,
            o.status,
            o.time
        FROM delivery_to t
        JOIN delivery_from c ON c.parent_id = t.from_id
        JOIN delivery_to o ON o.from_id = c.id
        WHERE t.time >= $since
            AND t.time < $until
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND ($domain = '' OR ends_with(lower(coalesce(t.orig_to, t.recipient)), $domain))
            AND t.status = 'forwarded'
            AND c.parent_link = 'forward'
            AND t.remote_queue_id = c.queue_id
        UNION ALL
        SELECT
            'alias',
            lower(t.orig_to),
            lower(t.recipient),
            t.status,
            t.time
        FROM delivery_to t
        JOIN delivery_from f ON f.id = t.from_id
        WHERE t.time >= $since
            AND t.time < $until
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND ($domain = '' OR ends_with(lower(t.orig_to), $domain))
            AND contains(t.orig_to, '@')
            AND contains(t.recipient, '@')
            AND lower(split_part(t.orig_to, '@', -1)) <> lower(split_part(t.recipient, '@', -1))
            AND t.status NOT IN ('filtered', 'relayed', 'forwarded', 'requeued')
            AND split_part(t.agent, '/', -1) = 'smtp'
            AND f.origin <> 'forward'
    )
SELECT
    kind,
    address,
    target,
    count(*) AS mails,
    count(*) FILTER (WHERE status = 'sent') AS delivered,
    count(*) FILTER (WHERE status IN ('bounced', 'expired')) AS failed,
    max(time) AS last_time
FROM onward
GROUP BY ALL
ORDER BY mails DESC, failed DESC, address, target, kind
LIMIT $top;
