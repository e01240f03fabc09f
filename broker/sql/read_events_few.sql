-- Events of a customer that has few tickets: each ticket's by its own index, however many others' lie between. What it gives and its
-- parameters are those of read_events.sql; $4 must be there.
--  $1 above this number  $2 up to this one  $3 limit  $4 customer  $5 ticket  $6 kinds  $7 public  $8 from_at
WITH own AS MATERIALIZED (
    SELECT id, seq, posted_at FROM tickets WHERE customer >= $4::text AND customer <= $4::text ORDER BY customer, id
)
SELECT * FROM (
    (SELECT t.seq, t.id AS ticket, t.posted_at AS at, 1 AS version, 1::smallint AS kind, NULL::smallint AS role, true AS public,
            false AS verified, t.customer, NULL::text AS actor, NULL::bytea AS body, t.title, t.problem, nullif(coalesce(t.posted_package, t.package), '') AS package, t.extra
       FROM (SELECT own.id FROM own
              WHERE own.seq > $1::bigint AND own.seq <= $2::bigint
                AND ($5::bigint IS NULL OR own.id = $5::bigint)
                AND ($6::smallint[] IS NULL OR 1 = ANY ($6::smallint[]))
                AND coalesce($7::boolean, true)
                AND ($8::bigint IS NULL OR own.posted_at >= $8::bigint)
              ORDER BY own.seq LIMIT $3::integer) o
       JOIN tickets t ON t.id = o.id)
    UNION ALL
    (SELECT e.seq, e.ticket, e.at, e.version, e.kind, e.role, e.public, e.verified, $4::text, e.actor, e.body, NULL, NULL, NULL, NULL
       FROM own
      CROSS JOIN LATERAL (SELECT * FROM events WHERE events.ticket = own.id OFFSET 0) e
      WHERE e.seq > $1::bigint AND e.seq <= $2::bigint
        AND ($5::bigint IS NULL OR e.ticket = $5::bigint)
        AND ($6::smallint[] IS NULL OR e.kind = ANY ($6::smallint[]))
        AND ($7::boolean IS NULL OR e.public = $7::boolean)
        AND ($8::bigint IS NULL OR e.at >= $8::bigint)
      ORDER BY e.seq LIMIT $3::integer)
) x
 ORDER BY seq LIMIT $3::integer
