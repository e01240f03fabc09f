-- What people changed of the on-call plan and is on, or will be within a day, in the order in which it was made.
SELECT schedule, replaces, staff, from_at, until_at
  FROM oncall_overrides
 WHERE cancelled_at IS NULL AND until_at > docket_now() AND from_at < docket_now() + 86400000000
 ORDER BY id
 LIMIT 2000
