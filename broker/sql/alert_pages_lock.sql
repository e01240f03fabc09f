-- After alert_lock, in its transaction: the pages of those alerts that are not over, in the order in which attempts begin and end, for alert_withdraw.
--  $1 alerts
SELECT id FROM deliveries WHERE alert = ANY ($1::bigint[]) AND state < 2 ORDER BY id FOR NO KEY UPDATE
