-- What was changed of the on-call plan and is not over at an instant, in the order in which it was made.
--  $1 instant
SELECT id, schedule, replaces, staff, from_at, until_at, made_by, reason
  FROM oncall_overrides
 WHERE cancelled_at IS NULL AND until_at > $1::bigint
 ORDER BY id
 LIMIT 2000
