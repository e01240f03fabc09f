-- The cause of a broker's own alert is gone.
--  $1 cause
UPDATE alerts SET state = 2, resolved_at = docket_now(), next_at = 0, token = NULL, lease_until = NULL
 WHERE cause = $1::text AND state < 2
