-- pmg-smtp-filter of Proxmox Mail Gateway names the mail by an id that ends its reply to Postfix, `250 2.5.0 OK (...)`, and by the recipient.
CREATE OR REPLACE VIEW store_action AS
SELECT
    n.id, t.id AS to_id, t.from_id, t.queue_id, t.recipient, n.time, n.host, n.program, n.action, n.detail, n.session
FROM delivery_to t
JOIN neighbour n ON n.session = regexp_extract(t.reason, '([^ <>()]+)( Saved|[)])$', 1)
WHERE n.session <> ''
    AND CASE
        WHEN n.program = 'pmg-smtp-filter' THEN ends_with(t.reason, ')') AND lower(n.recipient) = lower(t.recipient)
        ELSE ends_with(t.reason, ' Saved')
    END
    AND n.time BETWEEN t.first_time - INTERVAL 1 DAY AND t.time + INTERVAL 1 DAY
UNION ALL
SELECT
    n.id, t.id AS to_id, t.from_id, t.queue_id, t.recipient, n.time, n.host, n.program, n.action, n.detail, n.session
FROM delivery_to t
JOIN delivery_from f ON f.id = t.from_id
JOIN neighbour n ON n.message_id = f.message_id
WHERE n.program IN ('dovecot', 'cyrus')
    AND t.status NOT IN ('filtered', 'relayed', 'forwarded', 'requeued')
    AND n.time BETWEEN t.first_time - INTERVAL 2 MINUTE AND t.time + INTERVAL 2 MINUTE
    AND (n.session IS NULL OR coalesce(regexp_extract(t.reason, '([^ <>()]+) Saved$', 1), '') = '')
    AND (n.recipient IS NULL AND f.nrcpt = 1
        OR lower(n.recipient) IN (
            lower(t.recipient), lower(t.orig_to), lower(regexp_replace(t.recipient, '[+][^@]*@', '@')), lower(split_part(t.recipient, '@', 1)),
            lower(split_part(split_part(t.recipient, '@', 1), '+', 1))
        ));
