-- Links of a ticket, from it and to it.
--  $1 ticket
SELECT true AS outgoing, to_id AS other, as_link, at FROM links WHERE ticket = $1::bigint
UNION ALL
SELECT false, ticket, as_link, at FROM links WHERE to_id = $1::bigint
 ORDER BY at, other LIMIT 1000
