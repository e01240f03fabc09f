-- Posts a batch of new tickets with their receipts. One row comes back for each that was asked, in the order of the arrays.
-- A key that is there already, of a posting or of another op, fails the batch (23505); it is then repeated by posting_repeat.sql.
--  $1 ids  $2 key digests  $3 content digests  $4 customers  $5 titles  $6 problems  $7 extras  $8 receipts' bodies
--  $9 revisions of the customers' records that the broker knows  $10 package of unknown customers, NULL: refuse them
--  $11 posted_at of those that name their own, else NULL
WITH u AS MATERIALIZED (
    SELECT u.*, c.rev, coalesce(c.package, $10::text) AS package,
           CASE WHEN c.rev IS DISTINCT FROM u.known_rev THEN c.record END AS record
      FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bigint[], $11::bigint[])
           WITH ORDINALITY AS u(id, key_digest, content_digest, customer, title, problem, extra, receipt, known_rev, posted_at, ord)
           LEFT JOIN customers c ON c.id = u.customer
), clock AS MATERIALIZED (SELECT docket_now() AS at, pg_current_xact_id() AS before_seq), -- the id before any number: common/feed.h
t AS (
    INSERT INTO tickets (id, posted_at, key_digest, content_digest, customer, package, title, problem, extra)
    SELECT u.id, coalesce(u.posted_at, clock.at), u.key_digest, u.content_digest, u.customer, u.package, u.title, u.problem, u.extra
      FROM u, clock
     WHERE u.package IS NOT NULL
    RETURNING id
), f AS MATERIALIZED ( -- fails the batch as a key that is there does
    SELECT docket_keys_free($2::bytea[], count(*), '23505') AS free FROM t
), o AS (
    INSERT INTO outbox (ticket, version, audience, kind, created_at, body)
    SELECT u.id, 1, 1, 'received', clock.at, u.receipt
      FROM u, clock
     WHERE u.package IS NOT NULL
)
SELECT u.ord, u.id AS stored_id, coalesce(u.posted_at, clock.at) AS posted_at, true AS inserted, u.content_digest, u.package, u.rev, u.record,
       NOT f.free AS key_taken
  FROM u, clock, f
