-- Gives tickets that an op is about to change their desk row, if they have none: owned by this broker from now on.
--  $1 tickets, in order of id  $2 epoch
INSERT INTO desk (ticket, wake_at, rank, owner, updated_at, version, attempt, lane, state)
SELECT t.id, c.at, c.at, $2::bigint, c.at, 1, 2, 1, 0
  FROM unnest($1::bigint[]) WITH ORDINALITY AS w(id, ord) JOIN tickets t USING (id), (SELECT docket_now() AS at) c
 ORDER BY t.id
ON CONFLICT (ticket) DO NOTHING
RETURNING ticket, attempt, version, wake_at
