-- Before attempt_start, in its transaction: the alerts that pages of several were joined of stay as they are until the attempt is committed as
-- started, so that none begins once all of them were answered. In the order of alerts, and before any delivery, as who answers locks them.
--  $1 deliveries
SELECT a.id FROM alerts a
 WHERE a.id IN (SELECT m.alert FROM deliveries m WHERE m.bundle = ANY ($1::bigint[]))
 ORDER BY a.id
   FOR SHARE OF a
