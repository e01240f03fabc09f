-- The parent's event that its children are to have too, and whom it told.
--  $1 ticket  $2 version
SELECT e.kind, e.role, e.actor, e.body, e.at, t.customer, t.extra
  FROM events e JOIN tickets t ON t.id = e.ticket
 WHERE e.ticket = $1::bigint AND e.version = $2::integer
