-- What was changed of the on-call plan for the days to come, in the order in which it was made.
--  $1 µs ahead
SELECT schedule, replaces, staff, from_at, until_at
  FROM oncall_overrides
 WHERE cancelled_at IS NULL AND until_at > docket_now() AND from_at < docket_now() + $1::bigint
 ORDER BY id
 LIMIT 2000
