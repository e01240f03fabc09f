-- Tickets that a dead epoch posted and that nobody decided: from its mark to the last id it may have given. They get a desk row that nobody
-- owns, with attempt 2, so that a late decision of the dead broker meets the guard.
--  $1 mark  $2 last second  $3 slot  $4 how many
INSERT INTO desk (ticket, version, attempt, state, lane, rank, wake_at, updated_at)
SELECT t.id, 1, 2, 0, 1, t.posted_at, t.posted_at, c.at
  FROM tickets t, (SELECT docket_now() AS at) c
 WHERE t.id >= $1::bigint AND t.id < ($2::bigint + 1) << 29
   AND (t.id >> 18 & 2047) = $3::bigint
   AND NOT EXISTS (SELECT FROM desk d WHERE d.ticket = t.id)
 ORDER BY t.id LIMIT $4::integer
ON CONFLICT (ticket) DO NOTHING
RETURNING ticket
