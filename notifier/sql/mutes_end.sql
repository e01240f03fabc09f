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
       '\x88'::bytea
           || docket_pack_text('text', 20)
           || docket_pack_text('Mute ' || u.id || ' of ' || u.owner || ' (' || u.reason || ') is over' || coalesce(', ended by ' || u.ended_by, '') ||
                               '. Alerts it held back: ' || u.count || '.', 2000)
           || docket_pack_text('id', 20) || '\xd3'::bytea || int8send(u.id)
           || docket_pack_text('by', 20) || docket_pack_text(u.owner, 200) || docket_pack_text('by_staff', 20) || '\xc3'::bytea
           || docket_pack_text('ended_by', 20) || CASE WHEN u.ended_by IS NULL THEN '\xc0'::bytea ELSE docket_pack_text(u.ended_by, 200) END
           || docket_pack_text('reason', 20) || docket_pack_text(u.reason, 1000)
           || docket_pack_text('count', 20) || '\xd3'::bytea || int8send(u.count)
           || docket_pack_text('messages', 20) || '\xd3'::bytea || int8send(u.messages)
  FROM u, clock
ON CONFLICT DO NOTHING
