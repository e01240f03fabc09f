-- process.apply: a version of the process becomes current.
--  $1 key digest  $2 content digest  $3 request  $4 hash  $5 files  $6 actor  $7 role  $8 comment  $9 whether open tickets are computed again at once  $10 what was warned of: a repeat is answered with it
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea RETURNING content, request, answer),
posted AS MATERIALIZED (SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken),
p AS (
    INSERT INTO processes (hash, files, first_at)
    SELECT $4::text, $5::bytea, clock.at FROM clock, posted WHERE NOT EXISTS (SELECT FROM k) AND NOT posted.key_taken
    ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash
    RETURNING hash
), l AS (
    INSERT INTO process_log (hash, at, actor, role, comment, recompute_after)
    SELECT p.hash, clock.at, $6::text, $7::text, $8::text, CASE WHEN $9::boolean THEN 0 END FROM p, clock
    RETURNING n
), kk AS (
    INSERT INTO keys (digest, content, request, at, answer)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at, $10::bytea FROM l, clock
)
SELECT l.n IS NOT NULL AS changed, posted.key_taken, k.content AS key_content, k.request AS key_request, k.answer AS key_answer
  FROM clock CROSS JOIN posted LEFT JOIN l ON true LEFT JOIN k ON true
