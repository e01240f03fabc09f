-- One step of computing open tickets again: claims the next ones that sleep, due now, for a broker's epoch. One that is owned, or locked
-- by a change, is decided soon anyway. The step is the row of process_log whose recompute_after it moves: a broker at a time.
-- Tickets of ids given more than a minute after it became current were decided by it, or will be: a desk that is full has an end.
--  $1 how many to look at  $2 epoch
-- One row for each ticket that is claimed, in the columns of claim.sql; beside them, the same in each, how many were looked at. A step that
-- looks at none was the last: it comes as one row without a ticket, as does one that claims none. No row: another broker has the step.
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
r AS MATERIALIZED (
    SELECT n, recompute_after, (at / 1000000 - 1577836800 + 60) << 29 AS until FROM process_log WHERE recompute_after IS NOT NULL ORDER BY n DESC LIMIT 1 FOR UPDATE SKIP LOCKED
), seen AS MATERIALIZED (
    SELECT d.ticket, d.state <> 6 AND NOT d.dead AND d.owner IS NULL AND d.priority IS NOT NULL AS open
      FROM r CROSS JOIN LATERAL (SELECT * FROM desk WHERE desk.ticket > r.recompute_after AND desk.ticket < r.until ORDER BY desk.ticket LIMIT $1::integer) d
), c AS MATERIALIZED (
    SELECT d.ticket FROM desk d WHERE d.ticket IN (SELECT ticket FROM seen WHERE open) AND d.owner IS NULL ORDER BY d.ticket
       FOR NO KEY UPDATE SKIP LOCKED
), w AS (
    UPDATE desk d
       SET owner = $2::bigint, attempt = d.attempt + 1, wake_at = least(d.wake_at, clock.at), rank = least(d.rank, clock.at),
           lane = 5 + docket_class(d.priority)
      FROM c, clock
     WHERE d.ticket = c.ticket
    RETURNING d.ticket, d.attempt, d.version, d.rank, d.wake_at, d.failures, d.priority
), p AS (
    UPDATE process_log p
       SET recompute_after = CASE WHEN p.n = r.n THEN (SELECT max(ticket) FROM seen) END,
           recomputed = p.recomputed + CASE WHEN p.n = r.n THEN (SELECT count(*) FROM w) ELSE 0 END
      FROM r
     WHERE p.n <= r.n AND p.recompute_after IS NOT NULL
)
SELECT w.ticket, w.attempt, w.version, w.rank, w.wake_at, w.failures, w.priority, s.looked
  FROM r CROSS JOIN (SELECT count(*) AS looked FROM seen) s LEFT JOIN w ON true
