-- Attempts end: each its result, its delivery the new state. A delivery that another notifier took over meanwhile stays as it is.
-- Of a person's other ways none is needed once one got through; when one failed for good or twice, the next begins at once.
--  $1 ids $2 tokens $3 attempts $4 results $5 replies $6 states $7 delays µs until the next attempt $8 reasons
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
u AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::smallint[], $7::bigint[], $8::text[])
               AS u(id, token, n, result, reply, state, delay, reason)
), a AS (
    UPDATE attempts a SET ended_at = clock.at, result = u.result, reply = u.reply
      FROM u, clock
     WHERE a.delivery = u.id AND a.n = u.n
), d AS (
    UPDATE deliveries d
       SET state = u.state, next_at = clock.at + u.delay, ended_at = CASE WHEN u.state > 1 THEN clock.at END,
           reason = coalesce(u.reason, d.reason), reply = u.reply, token = NULL, lease_until = NULL
      FROM u, clock
     WHERE d.id = u.id AND d.state = 1 AND d.token = u.token
    RETURNING d.id, d.ticket, d.version, d.audience, d.kind, d.generation, d.recipient, d.state, d.attempts, d.way
)
UPDATE deliveries w
   SET state = CASE WHEN d.state = 3 THEN 8 ELSE w.state END, next_at = CASE WHEN d.state = 3 THEN w.next_at ELSE least(w.next_at, clock.at) END,
       reason = CASE WHEN d.state = 3 THEN 'delivered over another channel' ELSE 'the channel before failed' END,
       ended_at = CASE WHEN d.state = 3 THEN clock.at END
  FROM d, clock
 WHERE w.ticket = d.ticket AND w.version = d.version AND w.audience = d.audience AND w.kind = d.kind AND w.generation = d.generation
   AND w.recipient = d.recipient AND w.id <> d.id AND w.state = 0 AND w.attempts = 0 AND w.way > 0
   AND (d.state = 3 OR w.way = d.way + 1 AND (d.state = 4 OR d.attempts >= 2))
