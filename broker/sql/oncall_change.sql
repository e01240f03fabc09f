-- oncall.override, staff.away: one more override, or one cancelled, as long as the plan is as it was when the change was checked.
--  $1 key digest  $2 content digest  $3 request  $4 rev it was checked against  $5 actor  $6 override to cancel, or NULL
--  $7 schedule  $8 replaces  $9 staff  $10 from  $11 until  $12 reason
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea RETURNING content, request, version),
posted AS MATERIALIZED (SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken),
p AS (
    UPDATE oncall_plan SET rev = rev + 1 FROM posted
     WHERE rev = $4::bigint AND NOT EXISTS (SELECT FROM k) AND NOT posted.key_taken
    RETURNING rev
), i AS (
    INSERT INTO oncall_overrides (schedule, replaces, staff, from_at, until_at, made_at, made_by, reason)
    SELECT $7::text, $8::text, $9::text, $10::bigint, $11::bigint, clock.at, $5::text, $12::text FROM p, clock WHERE $6::bigint IS NULL
    RETURNING id
), c AS (
    UPDATE oncall_overrides o SET cancelled_at = clock.at, cancelled_by = $5::text FROM p, clock
     WHERE o.id = $6::bigint AND o.cancelled_at IS NULL
    RETURNING o.id
), x AS (SELECT id FROM i UNION ALL SELECT id FROM c),
kk AS (
    INSERT INTO keys (digest, content, request, at, version)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at, x.id::integer FROM x, clock
)
SELECT coalesce(x.id, k.version) AS id, p.rev IS NOT NULL AS changed, posted.key_taken, k.content AS key_content, k.request AS key_request
  FROM clock CROSS JOIN posted LEFT JOIN p ON true LEFT JOIN x ON true LEFT JOIN k ON true
