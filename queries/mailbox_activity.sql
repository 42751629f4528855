-- summary: addresses of a domain: sent, received, bounced, deferred, expired
-- group: senders and recipients
-- title: Per-mailbox activity
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
--
-- Messages that it sent, and of messages to it what was delivered, bounced, deferred (and
-- still waits), expired. Addresses as logged; the recipient before aliases where Postfix logged it. Without --domain it has
-- everybody. Replies are not counted: Postfix logs no In-Reply-To.
WITH
    done AS (
        SELECT lower(sender) AS address, 'sent' AS what, count(*) AS number, coalesce(sum(size), 0) AS bytes, max(time) AS last_time
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(sender), $domain))
            AND root_id = id
            AND origin <> 'bounce'
            AND sender <> ''
            AND status NOT IN ('receiving', 'canceled', 'rejected')
        GROUP BY ALL
        UNION ALL
        SELECT
            lower(coalesce(t.orig_to, t.recipient)),
            CASE t.status WHEN 'sent' THEN 'received' WHEN 'SOFTBOUNCE' THEN 'deferred' ELSE t.status END,
            count(*),
            coalesce(sum(f.size) FILTER (WHERE t.status = 'sent'), 0),
            max(t.time)
        FROM delivery_to t
        JOIN delivery_from f ON f.id = t.from_id
        WHERE t.time >= $since
            AND t.time < $until
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND ($domain = '' OR ends_with(lower(coalesce(t.orig_to, t.recipient)), $domain))
            AND t.status IN ('sent', 'bounced', 'deferred', 'SOFTBOUNCE', 'expired')
        GROUP BY ALL
        UNION ALL
        SELECT lower(recipient), 'refused', sum(count), 0, max(time)
        FROM noqueue
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(recipient), $domain))
            AND recipient IS NOT NULL
        GROUP BY ALL
    )
SELECT
    address,
    coalesce(sum(number) FILTER (WHERE what = 'sent'), 0)::BIGINT AS sent,
    coalesce(sum(number) FILTER (WHERE what = 'received'), 0)::BIGINT AS received,
    coalesce(sum(number) FILTER (WHERE what = 'bounced'), 0)::BIGINT AS bounced,
    coalesce(sum(number) FILTER (WHERE what = 'deferred'), 0)::BIGINT AS deferred,
    coalesce(sum(number) FILTER (WHERE what = 'expired'), 0)::BIGINT AS expired,
    coalesce(sum(number) FILTER (WHERE what = 'refused'), 0)::BIGINT AS refused,
    sum(bytes)::BIGINT AS bytes,
    max(last_time) AS last_time
FROM done
GROUP BY address
HAVING sum(number) FILTER (WHERE what <> 'refused') > 0
ORDER BY sum(number) FILTER (WHERE what <> 'refused') DESC, last_time DESC, address
LIMIT $top;
