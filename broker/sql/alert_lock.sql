-- Locks the alerts that a batch changes, in order of id, as lock.sql does with its tickets.
--  $1 alerts
SELECT id FROM alerts WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
