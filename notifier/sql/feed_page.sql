-- A page of settled events in the feed's order: postings stand in tickets, all others in events. Columns: common/event_wire.h.
--  $1 after this number  $2 up to this number  $3 limit
(SELECT t.seq, t.id AS ticket, t.posted_at AS at, 1 AS version, 1::smallint AS kind, NULL::smallint AS role, true AS public,
        false AS verified, t.customer, NULL::text AS actor, NULL::bytea AS body, t.title, t.problem, nullif(coalesce(t.posted_package, t.package), '') AS package, t.extra
   FROM tickets t
  WHERE t.seq > $1::bigint AND t.seq <= $2::bigint
  ORDER BY t.seq
  LIMIT $3::integer)
UNION ALL
(SELECT e.seq, e.ticket, e.at, e.version, e.kind, e.role, e.public, e.verified, t.customer, e.actor, e.body, NULL::text, NULL::bytea,
        NULL::text, NULL::bytea
   FROM (SELECT * FROM events WHERE seq > $1::bigint AND seq <= $2::bigint ORDER BY seq LIMIT $3::integer) e
        JOIN LATERAL (SELECT t.customer FROM tickets t WHERE t.id = e.ticket LIMIT 1) t ON true)
ORDER BY seq
LIMIT $3::integer
