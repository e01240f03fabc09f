-- What the page of a link about an alert shows: the alert, its ticket, and to whom it went (a row each; one row with NULL when to
-- nobody).
--  $1 alert
SELECT docket_now() AS now, t.customer, coalesce(am.title, t.title) AS title, coalesce(a.ticket, 0) AS ticket, a.state, a.generation,
       a.priority, a.body, a.acked_at, a.acked_by, a.resolved_at, d.assignee, a.reminded_at, r.recipient, r.address, a.cause
  FROM alerts a
       LEFT JOIN tickets t ON t.id = a.ticket
       LEFT JOIN amendments am ON am.ticket = a.ticket
       LEFT JOIN desk d ON d.ticket = a.ticket
       LEFT JOIN LATERAL (SELECT DISTINCT r.recipient, r.address
                            FROM deliveries r WHERE r.alert = a.id AND r.audience > 1 LIMIT 200) r ON true
 WHERE a.id = $1::bigint
