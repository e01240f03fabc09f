-- notification.mute and unmute. What is ended stays so. A ticket that is none is told; of a customer there may be no record yet.
--  $1 key digest  $2 content digest  $3 request  $4 number of the mute that ends, NULL: a new one  $5 actor  $6 reason  $7 from, NULL: now
--  $8 until  $9 customer  $10 ticket  $11 kind  $12 priority  $13 queue  $14 tag
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea RETURNING content, request, ticket),
go AS MATERIALIZED (
    SELECT x.key_taken, x.is_there, NOT x.key_taken AND x.is_there AND NOT EXISTS (SELECT FROM k) AS go
      FROM (SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken,
                   $10::bigint IS NULL OR EXISTS (SELECT FROM tickets WHERE id = $10::bigint) AS is_there) x
), n AS (
    INSERT INTO mutes (made_at, owner, reason, from_at, until_at, customer, ticket, kind, priority, queue, tag)
    SELECT clock.at, $5::text, $6::text, coalesce($7::bigint, clock.at), $8::bigint, $9::text, $10::bigint, $11::text, $12::smallint,
           $13::text, $14::text
      FROM go, clock
     WHERE go.go AND $4::bigint IS NULL AND $8::bigint > coalesce($7::bigint, clock.at)
       AND $8::bigint <= coalesce($7::bigint, clock.at) + 604800000000
    RETURNING id
), u AS (
    UPDATE mutes m SET ended_by = $5::text FROM go WHERE go.go AND m.id = $4::bigint AND NOT m.ended AND m.ended_by IS NULL RETURNING m.id
), kk AS (
    INSERT INTO keys (digest, content, request, at, ticket)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at, x.id FROM (SELECT id FROM n UNION ALL SELECT id FROM u) x, clock
)
SELECT coalesce(k.ticket, (SELECT id FROM n), (SELECT id FROM u), 0) AS mute, go.is_there, go.key_taken, k.content AS key_content, k.request AS key_request
  FROM go LEFT JOIN k ON true
