-- Events of a span of settled numbers, in their order; the columns are those of event_wire.h.
--  $1 above this number  $2 up to this one  $3 limit  $4 customer  $5 ticket  $6 kinds  $7 public  $8 from_at
SELECT * FROM (
    (SELECT t.seq, t.id AS ticket, t.posted_at AS at, 1 AS version, 1::smallint AS kind, NULL::smallint AS role, true AS public,
            false AS verified, t.customer, NULL::text AS actor, NULL::bytea AS body, t.title, t.problem, nullif(coalesce(t.posted_package, t.package), '') AS package, t.extra
       FROM tickets t
      WHERE t.seq > $1::bigint AND t.seq <= $2::bigint
        AND ($4::text IS NULL OR t.customer = $4::text)
        AND ($5::bigint IS NULL OR t.id = $5::bigint)
        AND ($6::smallint[] IS NULL OR 1 = ANY ($6::smallint[]))
        AND coalesce($7::boolean, true)
        AND ($8::bigint IS NULL OR t.posted_at >= $8::bigint)
      ORDER BY t.seq LIMIT $3::integer)
    UNION ALL
    (SELECT e.seq, e.ticket, e.at, e.version, e.kind, e.role, e.public, e.verified, t.customer, e.actor, e.body, NULL, NULL, NULL, NULL
       FROM events e JOIN tickets t ON t.id = e.ticket
      WHERE e.seq > $1::bigint AND e.seq <= $2::bigint
        AND ($4::text IS NULL OR t.customer = $4::text)
        AND ($5::bigint IS NULL OR e.ticket = $5::bigint)
        AND ($6::smallint[] IS NULL OR e.kind = ANY ($6::smallint[]))
        AND ($7::boolean IS NULL OR e.public = $7::boolean)
        AND ($8::bigint IS NULL OR e.at >= $8::bigint)
      ORDER BY e.seq LIMIT $3::integer)
) x
 ORDER BY seq LIMIT $3::integer
