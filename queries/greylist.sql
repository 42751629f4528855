-- summary: greylisted mail: what came back, how soon, and what never did
-- group: refused
-- title: Greylisting: what came back
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- param: hours count 48 -- A try after so many hours is no return
-- bar: tries
--
-- One try is client network, sender and recipient. Accepted: mail with the same three was taken later; refused: it came back
-- and was refused for another reason; never: neither. Minutes: between the first refusal and the mail. Sorted by outcome, then
-- by the network with most tries.
WITH
    tries AS (
        SELECT
            ip_network(client_address) AS network,
            lower(sender) AS sender,
            lower(recipient) AS recipient,
            min(time) AS first_time,
            sum(count) AS refusals
        FROM noqueue
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
            AND rule = 'greylist'
            AND recipient IS NOT NULL
        GROUP BY ALL
    ),
    taken AS (
        SELECT
            ip_network(f.client_address) AS network,
            lower(f.sender) AS sender,
            lower(coalesce(t.orig_to, t.recipient)) AS recipient,
            f.time
        FROM delivery_from f
        JOIN delivery_to t ON t.from_id = f.id
        WHERE f.time >= $since
            AND f.time < $until::TIMESTAMP + to_hours($hours)
            AND f.origin = 'smtpd'
            AND f.client_address IS NOT NULL
            AND (lower(f.sender), lower(coalesce(t.orig_to, t.recipient))) IN (SELECT (sender, recipient) FROM tries)
    ),
    others AS (
        SELECT ip_network(client_address) AS network, lower(sender) AS sender, lower(recipient) AS recipient, time
        FROM noqueue
        WHERE time >= $since
            AND time < $until::TIMESTAMP + to_hours($hours)
            AND rule <> 'greylist'
            AND (lower(sender), lower(recipient)) IN (SELECT (sender, recipient) FROM tries)
    ),
    returned AS (
        SELECT r.network, r.sender, r.recipient, min(t.time) AS time
        FROM tries r
        JOIN taken t ON t.network = r.network AND t.sender = r.sender AND t.recipient = r.recipient
        WHERE t.time >= r.first_time
            AND t.time <= r.first_time + to_hours($hours)
        GROUP BY ALL
    ),
    refused AS (
        SELECT DISTINCT r.network, r.sender, r.recipient
        FROM tries r
        JOIN others o ON o.network = r.network AND o.sender = r.sender AND o.recipient = r.recipient
        WHERE o.time >= r.first_time
            AND o.time <= r.first_time + to_hours($hours)
    ),
    judged AS (
        SELECT
            CASE WHEN t.network IS NOT NULL THEN 'accepted' WHEN o.network IS NOT NULL THEN 'refused' ELSE 'never' END AS outcome,
            r.network,
            r.sender,
            r.refusals,
            epoch(t.time - r.first_time) / 60 AS minutes
        FROM tries r
        LEFT JOIN returned t ON t.network = r.network AND t.sender = r.sender AND t.recipient = r.recipient
        LEFT JOIN refused o ON o.network = r.network AND o.sender = r.sender AND o.recipient = r.recipient
    )
SELECT
    outcome,
    coalesce(network, 'all') AS network,
    count(*) AS tries,
    sum(refusals)::BIGINT AS refusals,
    round(quantile_cont(minutes, 0.5), 1) AS minutes_p50,
    round(max(minutes), 1) AS minutes_most
FROM judged
GROUP BY GROUPING SETS ((outcome), (outcome, network))
ORDER BY grouping(network) DESC, tries DESC, outcome, network
LIMIT $top + 3;
