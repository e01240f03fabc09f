-- Children of a ticket, in order, as they were when its event happened.
--  $1 ticket  $2 after this child  $3 linked until  $4 limit
SELECT l.ticket, t.customer, t.extra
  FROM links l JOIN tickets t ON t.id = l.ticket
 WHERE l.to_id = $1::bigint AND l.as_link = 'child' AND l.ticket > $2::bigint AND l.at <= $3::bigint
 ORDER BY l.ticket LIMIT $4::integer
