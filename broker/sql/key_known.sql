-- Was a key used before, by a posting or another op? Waits for a posting with it that is not committed yet.
--  $1 key digest
WITH k AS MATERIALIZED (SELECT EXISTS (SELECT FROM keys WHERE digest = $1::bytea) AS is_there)
SELECT CASE WHEN k.is_there THEN true ELSE docket_key_posted($1::bytea) END AS known FROM k
