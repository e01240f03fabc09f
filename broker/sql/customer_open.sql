-- Open tickets of a customer that have another package, in order.
--  $1 customer  $2 package  $3 after this one  $4 limit
SELECT t.id, t.package
  FROM tickets t LEFT JOIN desk d ON d.ticket = t.id
 WHERE t.customer = $1::text AND t.id > $3::bigint AND t.package IS DISTINCT FROM $2::text AND coalesce(d.state, 0) <> 6
 ORDER BY t.id LIMIT $4::integer
