-- summary: totals of messages, recipients, refusals and bytes
-- group: traffic
-- title: Grand Totals (messages)
-- param: since time -7d
-- param: until time now
-- param: domain domain
-- param: host text
-- param: instance text
--
-- A mail that went through several queues (content filter, second instance or host, .forward) counts once: received at
-- the first, decided at the last. Every row counts what its name says happened between since and until.
--   received     messages taken from clients and local users; refused or broken off ones are not in it
--   notices      messages that Postfix wrote itself about others: bounces, delay warnings, reports
--   delivered, bounced, expired, discarded, deleted    recipients with that fate, notices' included
--   forwarded    recipients with a .forward of their own; where that led is counted again
--   deferrals    attempts that were put off; deferred: messages with at least one
--   held         messages put on hold and still there
--   rejected     refusals of smtpd, postscreen and cleanup; clients that did not ask to send mail are in no count
--   bytes delivered    a message's size for each recipient that got it
-- With --domain: mail received from senders of that domain, and the outcome for recipients in it.
WITH
    arrived AS (
        SELECT origin, status, lower(sender) AS sender, size
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(sender), $domain))
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
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
    ),
    put_off AS (
        SELECT a.from_id
        FROM attempt a
        JOIN delivery_to t ON t.id = a.to_id
        WHERE a.time >= $since
            AND a.time < $until
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
            AND a.dsn LIKE '4.%'
    ),
    refused AS (
        SELECT count
        FROM noqueue
        WHERE action NOT IN ('non-SMTP command', 'Refusing STARTTLS request')
            AND time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
    ),
    counted AS (
        SELECT 1 AS n, 'received' AS what, count(*) AS number FROM received
        UNION ALL SELECT 2, 'notices', count(*) FROM arrived WHERE origin = 'bounce'
        UNION ALL SELECT 3, 'delivered', count(*) FROM decided WHERE status = 'sent'
        UNION ALL SELECT 4, 'forwarded', count(*) FROM decided WHERE status = 'forwarded'
        UNION ALL SELECT 5, 'deferred', count(DISTINCT from_id) FROM put_off
        UNION ALL SELECT 6, 'deferrals', count(*) FROM put_off
        UNION ALL SELECT 7, 'bounced', count(*) FROM decided WHERE status = 'bounced'
        UNION ALL SELECT 8, 'expired', count(*) FROM decided WHERE status = 'expired'
        UNION ALL SELECT 9, 'held', count(*) FROM arrived WHERE status = 'held'
        UNION ALL SELECT 10, 'discarded', count(*) FROM decided WHERE status = 'discarded'
        UNION ALL SELECT 11, 'deleted', count(*) FROM decided WHERE status = 'deleted'
        UNION ALL SELECT 12, 'rejected', coalesce(sum(count), 0) FROM refused
        UNION ALL SELECT 13, 'bytes received', coalesce(sum(size), 0) FROM received
        UNION ALL SELECT 14, 'bytes delivered', coalesce(sum(size), 0) FROM decided WHERE status = 'sent'
        UNION ALL SELECT 15, 'senders', count(DISTINCT sender) FROM received
        UNION ALL SELECT 16, 'sending domains', count(DISTINCT split_part(sender, '@', -1)) FROM received
        UNION ALL SELECT 17, 'recipients', count(DISTINCT recipient) FROM decided WHERE status = 'sent'
        UNION ALL SELECT 18, 'recipient domains', count(DISTINCT split_part(recipient, '@', -1)) FROM decided WHERE status = 'sent'
    )
SELECT what, number::BIGINT AS number
FROM counted
ORDER BY n;
