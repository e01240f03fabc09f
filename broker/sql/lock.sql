-- Locks the existing tickets of a batch, in order of id, before anything else touches them.
--  $1 tickets
SELECT ticket FROM desk WHERE ticket = ANY ($1::bigint[]) ORDER BY ticket FOR NO KEY UPDATE
