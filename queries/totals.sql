-- summary: totals of messages, recipients, refusals and bytes
-- param: since time -7d
-- param: until time now
--
-- A mail that went through several queues (content filter, second instance or host, .forward) counts once: received at
-- the first, decided at the last. Every row counts what its name says happened between since and until.
--   received     messages taken from clients and local users; refused or broken off ones are not in it
--   notices      messages that Postfix wrote itself about others: bounces, delay warnings, reports
--   delivered, bounced, expired, discarded, deleted    recipients with that fate, notices' included
--   deferrals    attempts that were put off; deferred: messages with at least one
--   held         messages put on hold and still there
--   rejected     refusals of smtpd, postscreen and cleanup
--   bytes delivered    a message's size for each recipient that got it
WITH
    arrived AS (
        SELECT origin, status, lower(sender) AS sender, size
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND root_id = id
            AND status NOT IN ('receiving', 'canceled', 'rejected')
    ),
    received AS (
        SELECT status, sender, size
        FROM arrived
        WHERE origin <> 'bounce'
    ),
    decided AS (
        SELECT t.status, lower(t.recipient) AS recipient, f.size
        FROM delivery_to t
        JOIN delivery_from f ON f.id = t.from_id
        WHERE t.time >= $since
            AND t.time < $until
    ),
    put_off AS (
        SELECT from_id
        FROM attempt
        WHERE time >= $since
            AND time < $until
            AND dsn LIKE '4.%'
    ),
    counted AS (
        SELECT 1 AS n, 'received' AS what, count(*) AS number FROM received
        UNION ALL SELECT 2, 'notices', count(*) FROM arrived WHERE origin = 'bounce'
        UNION ALL SELECT 3, 'delivered', count(*) FROM decided WHERE status = 'sent'
        UNION ALL SELECT 4, 'deferred', count(DISTINCT from_id) FROM put_off
        UNION ALL SELECT 5, 'deferrals', count(*) FROM put_off
        UNION ALL SELECT 6, 'bounced', count(*) FROM decided WHERE status = 'bounced'
        UNION ALL SELECT 7, 'expired', count(*) FROM decided WHERE status = 'expired'
        UNION ALL SELECT 8, 'held', count(*) FROM arrived WHERE status = 'held'
        UNION ALL SELECT 9, 'discarded', count(*) FROM decided WHERE status = 'discarded'
        UNION ALL SELECT 10, 'deleted', count(*) FROM decided WHERE status = 'deleted'
        UNION ALL SELECT 11, 'rejected', coalesce(sum(count), 0) FROM noqueue WHERE time >= $since AND time < $until
        UNION ALL SELECT 12, 'bytes received', coalesce(sum(size), 0) FROM received
        UNION ALL SELECT 13, 'bytes delivered', coalesce(sum(size), 0) FROM decided WHERE status = 'sent'
        UNION ALL SELECT 14, 'senders', count(DISTINCT sender) FROM received
        UNION ALL SELECT 15, 'sending domains', count(DISTINCT split_part(sender, '@', -1)) FROM received
        UNION ALL SELECT 16, 'recipients', count(DISTINCT recipient) FROM decided WHERE status = 'sent'
        UNION ALL SELECT 17, 'recipient domains', count(DISTINCT split_part(recipient, '@', -1)) FROM decided WHERE status = 'sent'
    )
SELECT what, number::BIGINT AS number
FROM counted
ORDER BY n;
