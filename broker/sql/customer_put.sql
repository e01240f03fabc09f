-- customer.put: replaces the whole record. With open tickets: whoever does it, they are to move (moves).
--  $1 key digest  $2 content digest  $3 request  $4 id  $5 name  $6 package  $7 record
--  $8 epoch, NULL: open tickets keep their package  $9 role  $10 actor
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea RETURNING content, request, answer),
posted AS MATERIALIZED (SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken),
c AS (
    INSERT INTO customers (id, updated_at, name, package, record)
    SELECT $4::text, clock.at, $5::text, $6::text, $7::bytea FROM clock, posted
     WHERE NOT EXISTS (SELECT FROM k) AND NOT posted.key_taken
    ON CONFLICT (id) DO UPDATE
       SET rev = nextval('customer_rev'), updated_at = excluded.updated_at, name = excluded.name,
           package = excluded.package, record = excluded.record
    RETURNING id
), m AS (
    INSERT INTO moves (customer, package, epoch, role, actor)
    SELECT $4::text, $6::text, $8::bigint, $9::smallint, $10::text FROM c WHERE $8::bigint IS NOT NULL
    ON CONFLICT (customer) DO UPDATE SET package = excluded.package, epoch = excluded.epoch, role = excluded.role, actor = excluded.actor
), kk AS (
    INSERT INTO keys (digest, content, request, at)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at FROM c, clock
)
SELECT c.id IS NOT NULL AS changed, posted.key_taken, k.content AS key_content, k.request AS key_request
  FROM clock CROSS JOIN posted LEFT JOIN c ON true LEFT JOIN k ON true
