-- deadline.excuse: a lead's word on a miss, once. The verdict stays as it is.
--  $1 key digest  $2 content digest  $3 request  $4 ticket  $5 clock  $6 cycle  $7 actor  $8 reason
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea RETURNING content, request),
posted AS MATERIALIZED (SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken),
d AS MATERIALIZED (
    SELECT verdict FROM deadlines WHERE ticket = $4::bigint AND clock = $5::text AND cycle = $6::integer
), x AS (
    INSERT INTO excuses (ticket, clock, cycle, at, actor, reason)
    SELECT $4::bigint, $5::text, $6::integer, clock.at, $7::text, $8::text FROM d, clock, posted
     WHERE d.verdict = 'missed' AND NOT EXISTS (SELECT FROM k) AND NOT posted.key_taken
    ON CONFLICT DO NOTHING
    RETURNING at
), kk AS (
    INSERT INTO keys (digest, content, request, at, ticket) SELECT $1::bytea, $2::bytea, $3::bigint, x.at, $4::bigint FROM x
)
SELECT x.at IS NOT NULL AS changed, d.verdict, posted.key_taken, k.content AS key_content, k.request AS key_request
  FROM clock CROSS JOIN posted LEFT JOIN d ON true LEFT JOIN x ON true LEFT JOIN k ON true
