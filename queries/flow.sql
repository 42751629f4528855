-- summary: mail in, out, internal and relayed: messages, recipients and bytes
-- group: traffic
-- title: Flow: in, out, internal, relayed
-- param: since time -7d
-- param: until time now
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: recipients
--
-- From inside: submitted by a local program, after a login, or by a client with a loopback or private address. To inside:
-- delivered by local, virtual, lmtp, pipe or the relay transport; the rest went out over SMTP. A gateway that hands mail to
-- its own servers by the transport smtp shows it as out or relayed. Notices that Postfix wrote itself come from inside.
WITH
    delivered AS (
        SELECT
            r.id,
            f.size,
            r.origin <> 'smtpd'
                OR r.sasl_username IS NOT NULL
                OR r.client_address IS NULL
                OR starts_with(r.client_address, '127.')
                OR starts_with(r.client_address, '10.')
                OR starts_with(r.client_address, '192.168.')
                OR regexp_matches(r.client_address, '^172\.(1[6-9]|2[0-9]|3[01])\.|^[fF][cdCD][0-9a-fA-F]*:|^::1$') AS is_from_inside,
            split_part(t.agent, '/', -1) <> 'smtp' OR t.agent LIKE 'relay/%' AS is_to_inside
        FROM delivery_to t
        JOIN delivery_from f ON f.id = t.from_id
        JOIN delivery_from r ON r.id = f.root_id
        WHERE t.time >= $since
            AND t.time < $until
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
            AND t.status = 'sent'
    )
SELECT
    CASE
        WHEN is_from_inside AND is_to_inside THEN 'internal'
        WHEN is_from_inside THEN 'out'
        WHEN is_to_inside THEN 'in'
        ELSE 'relayed'
    END AS direction,
    count(DISTINCT id) AS messages,
    count(*) AS recipients,
    coalesce(sum(size), 0)::BIGINT AS bytes
FROM delivered
GROUP BY direction
ORDER BY recipients DESC, direction;
