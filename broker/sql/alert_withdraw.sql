-- What is pending of an alert that is acknowledged or resolved is withdrawn: in the transaction of alert_change and after it, for only
-- then are pages seen that a step wrote which held the alert's row before us.
--  $1 alert
UPDATE deliveries d
   SET state = 8, reason = CASE a.state WHEN 1 THEN 'acknowledged by ' || a.acked_by ELSE 'the alert was resolved' END,
       ended_at = docket_now(), token = NULL, lease_until = NULL
  FROM alerts a
 WHERE a.id = $1::bigint AND a.state > 0 AND d.alert = a.id AND d.state < 2 AND d.kind IN ('alert', 'alert_reminder')
