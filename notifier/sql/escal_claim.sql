-- Leases alerts whose next step is due, or whose last step lies ahead (the clock was set back), and gives where each stands and what
-- its step needs to know. An open one that is quiet is none of them, though it was woken just now: the next look (alert_quiet) finds out whether it
-- may climb. The most urgent first, so that a storm of others holds up no P1. A lease that lies too far ahead was taken by a clock that was wrong.
--  $1 token  $2 lease µs  $3 limit
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
c AS MATERIALIZED (
    SELECT a.id
      FROM alerts a, clock
     WHERE (a.state > 0 OR a.quiet IS NULL AND a.checked_at > clock.at - 10000000) AND a.next_at IS NOT NULL AND (a.next_at <= clock.at OR a.stepped_at > clock.at)
       AND (a.lease_until IS NULL OR a.lease_until < clock.at OR a.lease_until > clock.at + $2::bigint)
     ORDER BY a.priority, a.next_at
     LIMIT $3::integer
       FOR UPDATE OF a SKIP LOCKED
), w AS (
    UPDATE alerts a
       SET token = $1::bigint, lease_until = clock.at + $2::bigint
      FROM c, clock
     WHERE a.id = c.id
    RETURNING a.*
)
SELECT w.id, w.cause, coalesce(w.ticket, 0) AS ticket, w.kind, w.priority, w.state, w.generation, w.round, w.level, w.reminders,
       coalesce(w.since_at, w.opened_at) AS since_at, w.stepped_at, w.acked_at, w.reminded_at, w.next_at, w.acked_by,
       clock.at AS now, d.assignee, d.queue, coalesce(d.state >= 5 AND d.state <= 6 AND w.kind <> 'dead', false) AS is_gone,
       (SELECT e.at FROM events e WHERE e.ticket = w.ticket AND e.role IN (0, 3) ORDER BY e.version DESC LIMIT 1) AS progress_at,
       EXISTS (SELECT FROM deliveries t WHERE t.alert = w.id AND t.attempts > 0) AS was_told
  FROM w CROSS JOIN clock LEFT JOIN desk d ON d.ticket = w.ticket
 ORDER BY w.next_at
