-- One alert's step: where it stands then. Only while it is as it was when the step was made: an acknowledgement, a resolution or
-- another notifier in between makes this nothing, and the step's rows, which look at stepped_by, with it.
--  $1 id  $2 token  $3 generation and  $4 state as they were
--  $5 state  $6 generation  $7 round  $8 level  $9 reminders  $10 since  $11 stepped  $12 reminded  $13 next, or NULL  $14 policy
UPDATE alerts
   SET state = $5::smallint, generation = $6::integer, round = $7::integer, level = $8::integer, reminders = $9::integer,
       since_at = $10::bigint, stepped_at = nullif($11::bigint, 0), reminded_at = nullif($12::bigint, 0), next_at = $13::bigint,
       policy = $14::text, token = NULL, lease_until = NULL, stepped_by = $2::bigint,
       acked_at = CASE WHEN $5::smallint = 0 THEN NULL ELSE acked_at END, acked_by = CASE WHEN $5::smallint = 0 THEN NULL ELSE acked_by END,
       resolved_at = CASE WHEN $5::smallint = 2 THEN coalesce(resolved_at, docket_now()) END
 WHERE id = $1::bigint AND token = $2::bigint AND generation = $3::integer AND state = $4::smallint
RETURNING id
