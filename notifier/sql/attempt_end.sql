-- Attempts end: each its result, its delivery the new state. A delivery that another notifier took over meanwhile stays as it is.
--  $1 ids $2 tokens $3 attempts $4 results $5 replies $6 states $7 delays µs until the next attempt $8 reasons
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
u AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::smallint[], $7::bigint[], $8::text[])
               AS u(id, token, n, result, reply, state, delay, reason)
), a AS (
    UPDATE attempts a SET ended_at = clock.at, result = u.result, reply = u.reply
      FROM u, clock
     WHERE a.delivery = u.id AND a.n = u.n
)
UPDATE deliveries d
   SET state = u.state, next_at = clock.at + u.delay, ended_at = CASE WHEN u.state > 1 THEN clock.at END,
       reason = coalesce(u.reason, d.reason), reply = u.reply, token = NULL, lease_until = NULL
  FROM u, clock
 WHERE d.id = u.id AND d.state = 1 AND d.token = u.token
