-- A ticket's events after a version, the posting first, as far as they fit; the columns are those of event_wire.h.
--  $1 ticket  $2 after this version  $3 bytes
SELECT * FROM (
    SELECT t.seq, t.id AS ticket, t.posted_at AS at, 1 AS version, 1::smallint AS kind, NULL::smallint AS role, true AS public,
           false AS verified, t.customer, NULL::text AS actor, NULL::bytea AS body, t.title, t.problem, nullif(coalesce(t.posted_package, t.package), '') AS package, t.extra
      FROM tickets t
     WHERE t.id = $1::bigint AND $2::integer < 1
    UNION ALL
    SELECT e.seq, e.ticket, e.at, e.version, e.kind, e.role, e.public, e.verified, NULL, e.actor, e.body, NULL, NULL, NULL, NULL
      FROM (SELECT x.*, sum(coalesce(octet_length(x.body), 0) + 64) OVER (ORDER BY x.version) AS upto
              FROM events x
             WHERE x.ticket = $1::bigint AND x.version > $2::integer) e
     WHERE e.upto - coalesce(octet_length(e.body), 0) - 64 < $3::bigint
) h
 ORDER BY version
