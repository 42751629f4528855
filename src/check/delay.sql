-- Postfix counts a delay from the arrival. Zones differ by quarters of an hour at least; less may be a clock that was set.
-- Mail from pickup may have waited in maildrop before its first line.
SELECT t.time, t.host, t.queue_id, t.recipient AS what, t.delay, f.time AS arrival
FROM delivery_to t
JOIN delivery_from f ON f.id = t.from_id
WHERE t.from_id > $1
    AND f.id > $1
    AND $2 IS NOT NULL
    AND t.attempts > 0
    AND t.delay IS NOT NULL
    AND abs(epoch_us(t.time) / 1e6 - t.delay - epoch_us(f.time) / 1e6) > 600 + t.delay / 50
    AND t.status IN ('sent', 'bounced', 'deferred', 'SOFTBOUNCE', 'filtered', 'relayed', 'forwarded', 'discarded')
    AND f.origin NOT IN ('requeue', 'unknown')
    AND NOT (f.origin = 'pickup' AND epoch(t.time) - t.delay < epoch(f.time))
