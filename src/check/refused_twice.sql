-- One process refuses the same recipient of the same client twice within a second: some clients do ask twice.
-- Numbers come first: texts are compared only where those agree.
WITH near AS (
    SELECT date_trunc('second', time) AS second, pid, recipient_key AS key
    FROM noqueue
    WHERE $1 IS NOT NULL AND id > $2 AND pid IS NOT NULL
    GROUP BY ALL
    HAVING count(*) > 1
)
SELECT
    second, host, coalesce(any_value(queue_id), 'NOQUEUE') AS queue_id, recipient AS what, service, pid,
    client_address, sender, reply_code, count(*) - 1 AS times
FROM noqueue
JOIN near USING (pid)
WHERE id > $2 AND date_trunc('second', time) = second AND recipient_key IS NOT DISTINCT FROM key
GROUP BY second, host, recipient, service, pid, client_address, client_port, sender, reply_code
HAVING count(*) > 1
