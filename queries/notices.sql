-- summary: what Postfix did besides delivering: notices, bounces, requeues, forwards
-- group: delivery
-- param: since time -7d
-- param: until time now
-- param: host text
-- param: instance text
-- bar: number
--
-- Local bounces were decided by this site's own agents, remote ones by another server's answer. Bounced notices are those
-- that could not be delivered themselves. What access tables, header_checks and milters did to mail that was not refused
-- (redirect, filter, bcc, warn, info, ...) is counted by action.
WITH
    messages AS (
        SELECT id, origin, parent_link, status
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
    ),
    recipients AS (
        SELECT t.status, t.reply_code, f.origin
        FROM delivery_to t
        JOIN delivery_from f ON f.id = t.from_id
        WHERE t.time >= $since
            AND t.time < $until
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
    ),
    counted AS (
        SELECT 'non-delivery notices written' AS what, count(*) AS number FROM messages WHERE parent_link = 'bounce'
        UNION ALL SELECT 'delay notices written', count(*) FROM messages WHERE parent_link = 'delay'
        UNION ALL SELECT 'success notices written', count(*) FROM messages WHERE parent_link = 'status'
        UNION ALL SELECT 'notices delivered', count(*) FROM recipients WHERE origin = 'bounce' AND status = 'sent'
        UNION ALL SELECT 'notices bounced', count(*) FROM recipients WHERE origin = 'bounce' AND status IN ('bounced', 'expired')
        UNION ALL SELECT 'recipients bounced locally', count(*) FROM recipients WHERE status = 'bounced' AND reply_code IS NULL
        UNION ALL SELECT 'recipients bounced by others', count(*) FROM recipients WHERE status = 'bounced' AND reply_code IS NOT NULL
        UNION ALL SELECT 'recipients returned when expired', count(*) FROM recipients WHERE status = 'expired'
        UNION ALL SELECT 'recipients with a .forward', count(*) FROM recipients WHERE status = 'forwarded'
        UNION ALL SELECT 'recipients handed to a filter', count(*) FROM recipients WHERE status = 'filtered'
        UNION ALL SELECT 'recipients handed to another queue of ours', count(*) FROM recipients WHERE status = 'relayed'
        UNION ALL SELECT 'messages requeued', count(*) FROM messages WHERE status = 'requeued'
        UNION ALL SELECT 'messages deleted', count(*) FROM messages WHERE status = 'deleted'
        UNION ALL SELECT 'messages resent (Resent-Message-ID)', count(*)
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND resent_message_id IS NOT NULL
        UNION ALL SELECT 'action ' || split_part(template, ':', 1), sum(count)
        FROM event
        WHERE last_time >= $since
            AND first_time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND level = 'policy'
        GROUP BY ALL
    )
SELECT what, number::BIGINT AS number
FROM counted
WHERE number > 0
ORDER BY number DESC, what;
