-- The events of woken tickets, in order of version. Long texts that were said before the last decision stay where they are:
-- a worker gets heads of those events only. A parent's words come whole: when they were said is a fact of them.
--  $1 tickets
SELECT e.ticket, e.version, e.at, e.kind, e.role, e.actor, e.public,
       CASE WHEN e.version > d.decided OR octet_length(e.body) <= 4096 OR e.kind <> 4 OR
                 position('\xa7736169645f6174'::bytea IN e.body) > 0 THEN e.body END AS body
  FROM unnest($1::bigint[]) AS u(id)
  JOIN desk d ON d.ticket = u.id
  JOIN events e ON e.ticket = u.id
 ORDER BY e.ticket, e.version
