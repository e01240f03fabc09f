-- One step of computing open tickets again: wakes the next ones that sleep unowned. One that is owned, or locked by a change, is
-- decided soon anyway. Their wake lies ahead of the bounds of the claims, which do not look back for some seconds.
--  $1 how many to look at
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
r AS MATERIALIZED (
    SELECT n, recompute_after FROM process_log WHERE recompute_after IS NOT NULL ORDER BY n DESC LIMIT 1 FOR UPDATE SKIP LOCKED
), seen AS MATERIALIZED (
    SELECT d.ticket, d.state <> 6 AND NOT d.dead AND d.owner IS NULL AND d.priority IS NOT NULL AS open
      FROM r CROSS JOIN LATERAL (SELECT * FROM desk WHERE desk.ticket > r.recompute_after ORDER BY desk.ticket LIMIT $1::integer) d
), c AS MATERIALIZED (
    SELECT d.ticket FROM desk d WHERE d.ticket IN (SELECT ticket FROM seen WHERE open) AND d.owner IS NULL ORDER BY d.ticket
       FOR NO KEY UPDATE SKIP LOCKED
), w AS (
    UPDATE desk d
       SET wake_at = least(d.wake_at, clock.at + 2500000), rank = least(d.rank, clock.at + 2500000), lane = 5 + docket_class(d.priority)
      FROM c, clock
     WHERE d.ticket = c.ticket
    RETURNING d.ticket
), p AS (
    UPDATE process_log p
       SET recompute_after = CASE WHEN p.n = r.n THEN (SELECT max(ticket) FROM seen) END,
           recomputed = p.recomputed + CASE WHEN p.n = r.n THEN (SELECT count(*) FROM w) ELSE 0 END
      FROM r
     WHERE p.n <= r.n AND p.recompute_after IS NOT NULL
)
SELECT (SELECT count(*) FROM r), (SELECT count(*) FROM seen), (SELECT count(*) FROM w)
