-- Wakes that this broker puts back: given away (owner NULL), to be tried again later, given up (lane NULL), or kept with a desk row of
-- their own. Tickets without a desk row get one. An id that does not come back belongs to somebody else by now.
--  $1 tickets  $2 attempts before  $3 wake_at  $4 ranks  $5 lanes  $6 owners after  $7 failures  $8 dead  $9 epoch
INSERT INTO desk AS d (ticket, version, attempt, state, wake_at, rank, lane, owner, failures, dead, updated_at)
SELECT u.ticket, 1, u.attempt + 1, 0, u.wake_at, CASE WHEN u.lane IS NOT NULL THEN u.rank END, u.lane, u.owner, u.failures, u.dead, docket_now()
  FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::smallint[], $6::bigint[], $7::smallint[], $8::boolean[])
       AS u(ticket, attempt, wake_at, rank, lane, owner, failures, dead)
ON CONFLICT (ticket) DO UPDATE
   SET attempt = excluded.attempt, wake_at = excluded.wake_at, rank = excluded.rank, lane = excluded.lane,
       owner = excluded.owner, failures = excluded.failures, dead = excluded.dead
 WHERE d.owner = $9::bigint AND d.attempt = excluded.attempt - 1
RETURNING ticket
