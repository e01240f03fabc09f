-- Attributes that decisions set, for those that were just applied (verdicts.sql tells how that is known) and whose attributes people do not
-- hold.
--  $1 tickets  $2 attempts after  $3 versions after  $4 attributes
INSERT INTO amendments AS was (ticket, attributes)
SELECT u.ticket, u.attributes
  FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::bytea[]) AS u(ticket, attempt, version, attributes)
  JOIN desk d ON d.ticket = u.ticket AND d.attempt = u.attempt AND d.version = u.version AND d.decided = u.version AND d.held & 16 = 0
ON CONFLICT (ticket) DO UPDATE SET attributes = excluded.attributes
