-- The same as posting.sql for keys that may be there already. A row that is there is written again (to itself), so that the
-- commit waits for the standby as it did for the first; inserted tells whether this request made it (xmax = 0).
WITH u AS MATERIALIZED (
    SELECT u.*, c.rev, coalesce(c.package, $10::text) AS package,
           CASE WHEN c.rev IS DISTINCT FROM u.known_rev THEN c.record END AS record,
           k.taken IS NOT NULL AS key_taken
      FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bigint[], $11::bigint[])
           WITH ORDINALITY AS u(id, key_digest, content_digest, customer, title, problem, extra, receipt, known_rev, posted_at, ord)
           LEFT JOIN customers c ON c.id = u.customer
           LEFT JOIN LATERAL (SELECT true AS taken FROM keys k WHERE k.digest = u.key_digest LIMIT 1) k ON true
), clock AS MATERIALIZED (SELECT docket_now() AS at, pg_current_xact_id() AS before_seq), -- the id before any number: common/feed.h
t AS (
    INSERT INTO tickets AS was (id, posted_at, key_digest, content_digest, customer, package, title, problem, extra)
    SELECT u.id, coalesce(u.posted_at, clock.at), u.key_digest, u.content_digest, u.customer, u.package, u.title, u.problem, u.extra
      FROM u, clock
     WHERE NOT u.key_taken AND (u.package IS NOT NULL OR EXISTS (SELECT FROM tickets x WHERE x.key_digest = u.key_digest))
     ORDER BY u.key_digest
    ON CONFLICT (key_digest) DO UPDATE SET content_digest = was.content_digest
    RETURNING id, posted_at, key_digest, content_digest, xmax = 0 AS inserted
), f AS MATERIALIZED ( -- an op with one of these keys ended meanwhile: once more
    SELECT docket_keys_free(array_agg(t.key_digest), count(*), '40001') AS free FROM t
), o AS (
    INSERT INTO outbox (ticket, version, audience, kind, created_at, body)
    SELECT t.id, 1, 1, 'received', clock.at, u.receipt
      FROM t JOIN u USING (key_digest), clock
     WHERE t.inserted
)
SELECT u.ord, t.id AS stored_id, t.posted_at, coalesce(t.inserted, false) AS inserted, t.content_digest, u.package, u.rev, u.record,
       u.key_taken OR NOT f.free AS key_taken
  FROM u CROSS JOIN f LEFT JOIN t USING (key_digest)
