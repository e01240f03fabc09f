-- The end of a mute is told, once, with how much it held back, and its alerts look again at once. What is just being looked at is left to that look,
-- which locks alerts before mutes.
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
u AS (
    UPDATE mutes m SET ended = true
      FROM clock
     WHERE NOT m.ended AND (m.until_at <= clock.at OR m.ended_by IS NOT NULL)
    RETURNING m.*
), a AS MATERIALIZED (
    SELECT a.id
      FROM u CROSS JOIN clock CROSS JOIN LATERAL (
           SELECT a.id FROM alerts a
            WHERE a.next_at > clock.at AND a.state = 0 AND a.quiet = 'muted by mute ' || u.id
            LIMIT 10000
              FOR UPDATE OF a SKIP LOCKED) a
), w AS (
    UPDATE alerts SET next_at = clock.at FROM a, clock WHERE alerts.id = a.id
)
INSERT INTO outbox (ticket, version, audience, kind, generation, created_at, body)
SELECT 0, 0, 3, 'mute_ended', (u.id % 2147483647)::integer, clock.at,
       docket_text_body('Mute ' || u.id || ' of ' || u.owner || ' (' || u.reason || ') is over' ||
                        coalesce(', ended by ' || u.ended_by, '') || '. Alerts it held back: ' || u.count || '.')
  FROM u, clock
ON CONFLICT DO NOTHING
