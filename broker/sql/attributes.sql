-- Attributes that decisions set, for those that were just applied (their attempt tells) and whose attributes people do not hold.
--  $1 tickets  $2 attempts after  $3 attributes
INSERT INTO amendments AS was (ticket, attributes)
SELECT u.ticket, u.attributes
  FROM unnest($1::bigint[], $2::integer[], $3::bytea[]) AS u(ticket, attempt, attributes)
  JOIN desk d ON d.ticket = u.ticket AND d.attempt = u.attempt AND d.held & 16 = 0
ON CONFLICT (ticket) DO UPDATE SET attributes = excluded.attributes
