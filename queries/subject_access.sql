-- summary: all traffic of one address in a period: mail, refusals, logins
-- group: senders and recipients
-- param: since time all
-- param: until time now
-- param: address text! -- The address; all of it, in any case of letters
--
-- What a person, or a court, may ask for: every mail from or to the address (also as the recipient before aliases, and as
-- the login), every refusal that names it, every login, what mail stores did for it. One row an event, oldest first, without a limit. The steps of a mail
-- inside our own systems are in it. Raw lines, while they are kept: maillog find, -o story.
WITH
    events AS (
        SELECT
            f.time,
            'mail from' AS what,
            f.host,
            f.queue_id,
            f.sender,
            t.recipient,
            f.client_address,
            f.sasl_username,
            f.message_id,
            f.subject,
            f.size,
            coalesce(t.status, f.status) AS status,
            t.time AS status_time,
            coalesce(t.reason, f.reason) AS reason
        FROM delivery_from f
        LEFT JOIN delivery_to t ON t.from_id = f.id
        WHERE f.time >= $since
            AND f.time < $until
            AND (lower(f.sender) = lower($address) OR lower(f.sasl_username) = lower($address))
        UNION ALL
        SELECT
            f.time,
            'mail to',
            f.host,
            f.queue_id,
            f.sender,
            t.recipient,
            f.client_address,
            f.sasl_username,
            f.message_id,
            f.subject,
            f.size,
            t.status,
            t.time,
            t.reason
        FROM delivery_to t
        JOIN delivery_from f ON f.id = t.from_id
        WHERE f.time >= $since
            AND f.time < $until
            AND (lower(t.recipient) = lower($address) OR lower(t.orig_to) = lower($address))
        UNION ALL
        SELECT
            time,
            'refused',
            host,
            queue_id,
            sender,
            recipient,
            client_address,
            sasl_username,
            NULL,
            NULL,
            NULL,
            action,
            time,
            reason
        FROM noqueue
        WHERE time >= $since
            AND time < $until
            AND (lower(sender) = lower($address) OR lower(recipient) = lower($address) OR lower(sasl_username) = lower($address))
        UNION ALL
        SELECT
            time,
            'login',
            host,
            NULL,
            NULL,
            NULL,
            client_address,
            sasl_username,
            NULL,
            NULL,
            NULL,
            CASE WHEN ok THEN 'ok' ELSE 'failed' END,
            time,
            reason
        FROM auth
        WHERE time >= $since
            AND time < $until
            AND lower(sasl_username) = lower($address)
        UNION ALL
        SELECT
            time,
            program,
            host,
            queue_id,
            NULL,
            recipient,
            NULL,
            NULL,
            message_id,
            NULL,
            NULL,
            action,
            time,
            detail
        FROM neighbour
        WHERE time >= $since
            AND time < $until
            AND (lower(recipient) = lower($address) OR lower(detail) = lower($address))
    )
SELECT
    time,
    what,
    host,
    queue_id,
    sender,
    recipient,
    client_address,
    sasl_username,
    message_id,
    subject,
    size,
    status,
    status_time,
    reason
FROM events
ORDER BY time, what, host, queue_id, recipient;
