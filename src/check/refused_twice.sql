-- One process refuses the same recipient of the same client twice within a second: some clients do ask twice.
SELECT
    date_trunc('second', time) AS second, host, coalesce(any_value(queue_id), 'NOQUEUE') AS queue_id, recipient AS what, service, pid,
    client_address, sender, reply_code, count(*) - 1 AS times
FROM noqueue
WHERE $1 IS NOT NULL AND id > $2 AND pid IS NOT NULL
GROUP BY second, host, recipient, service, pid, client_address, client_port, sender, reply_code
HAVING count(*) > 1
