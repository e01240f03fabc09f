-- Steps of a ticket that its customer agreed to.
--  $1 ticket
SELECT k.version, p.body, a.at, a.actor, d.at, d.actor
  FROM tasks k
  JOIN events p ON p.ticket = k.ticket AND p.version = k.of_version
  JOIN events a ON a.ticket = k.ticket AND a.version = k.version
  LEFT JOIN events d ON d.ticket = k.ticket AND d.version = k.done_version
 WHERE k.ticket = $1::bigint ORDER BY k.version LIMIT 200
