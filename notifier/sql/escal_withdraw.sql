-- It is over: pages not begun are withdrawn. In the transaction of escal_advance and only if that was ours.
--  $1 alert  $2 token
UPDATE deliveries d SET state = 8, reason = 'the alert was resolved', ended_at = docket_now(), token = NULL, lease_until = NULL
  FROM alerts a
 WHERE a.id = $1::bigint AND a.stepped_by = $2::bigint AND a.state = 2 AND d.alert = a.id AND d.state < 2
   AND d.kind IN ('alert', 'alert_reminder')
