-- A key of an op for many tickets, written before anything is changed; its content as it was used first.
--  $1 key digest  $2 content digest
WITH k AS (UPDATE keys SET at = docket_now() WHERE digest = $1::bytea RETURNING content),
posted AS MATERIALIZED (SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken),
kk AS (
    INSERT INTO keys (digest, content, request, at)
    SELECT $1::bytea, $2::bytea, 0, docket_now() FROM posted WHERE NOT EXISTS (SELECT FROM k) AND NOT posted.key_taken
)
SELECT coalesce(k.content, $2::bytea) AS content, posted.key_taken FROM posted LEFT JOIN k ON true
