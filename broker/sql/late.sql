-- What a new ticket takes over from one that was closed long ago.
--  $1 ticket
SELECT t.customer, coalesce(a.title, t.title), t.extra
  FROM tickets t LEFT JOIN amendments a ON a.ticket = t.id
 WHERE t.id = $1::bigint
