-- A new epoch of this writer's session, on the free slot whose ids reach least far, the lowest of them: what a broker that ends again and again
-- leaves unused must not add up, as lists are in the order of ids. Two at once meet at the unique slot (23505) and try again.
-- Ids of a slot never come back: the new epoch begins after the last second its slot was granted.
--  $1 epoch  $2 name  $3 lease in µs  $4 seconds of ids granted ahead
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
slots AS (
    SELECT s.slot, greatest(clock.at / 1000000 - 1577836800, coalesce(used.until, 0) + 1) AS second
      FROM clock, generate_series(0, 2047) AS s(slot)
      LEFT JOIN (SELECT slot, max(ids_until) AS until FROM brokers GROUP BY slot) used ON used.slot = s.slot
     WHERE NOT EXISTS (SELECT FROM brokers b WHERE b.slot = s.slot AND NOT b.settled)
     ORDER BY second, s.slot LIMIT 1
), free AS ( -- operators of one rank bind from the left: without the parentheses the slot's bits would shift the second's
    SELECT slot, second, (second << 29) | (slot::bigint << 18) AS first_id FROM slots
)
INSERT INTO brokers (epoch, slot, name, pid, backend_start, registered_at, lease_until, mark, first_id, ids_until)
SELECT $1::bigint, free.slot, $2::text, a.pid, a.backend_start, clock.at, clock.at + $3::bigint,
       free.first_id, free.first_id, free.second + $4::bigint
  FROM clock, free, pg_stat_activity a
 WHERE a.pid = pg_backend_pid()
RETURNING slot, ids_until - $4::bigint AS second, ids_until, registered_at, lease_until
