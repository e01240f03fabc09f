-- What the page of a link about a ticket shows: the ticket, the last time that something was asked, what ended that, and to whom the
-- ticket's messages went (a row each; one row with NULL when to nobody).
--  $1 ticket  $2 kinds of events that ask  $3 kinds of events that end it
SELECT docket_now() AS now, t.customer, coalesce(am.title, t.title) AS title, cu.record, coalesce(d.state, 0::smallint) AS state,
       coalesce(d.version, 1) AS version, e.version AS asked_version, e.body AS asked, f.kind AS ended_kind, f.at AS ended_at,
       f.actor AS ended_by, r.recipient, r.address
  FROM tickets t
       LEFT JOIN amendments am ON am.ticket = t.id
       LEFT JOIN customers cu ON cu.id = t.customer
       LEFT JOIN desk d ON d.ticket = t.id
       LEFT JOIN LATERAL (SELECT e.version, e.body FROM events e WHERE e.ticket = t.id AND e.kind = ANY ($2::smallint[])
                           ORDER BY e.version DESC LIMIT 1) e ON true
       LEFT JOIN LATERAL (SELECT f.kind, f.at, f.actor FROM events f
                           WHERE f.ticket = t.id AND f.version > e.version AND f.kind = ANY ($3::smallint[])
                           ORDER BY f.version LIMIT 1) f ON true
       LEFT JOIN LATERAL (SELECT DISTINCT r.recipient, r.address FROM deliveries r
                           WHERE r.ticket = t.id AND r.audience = 1 LIMIT 200) r ON true
 WHERE t.id = $1::bigint
