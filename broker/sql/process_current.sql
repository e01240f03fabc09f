-- The current version of the process; its files only when they are not known yet.
--  $1 hash that is known, or NULL
SELECT l.n, l.hash, CASE WHEN l.hash IS DISTINCT FROM $1::text THEN p.files END AS files,
       EXISTS (SELECT FROM process_log r WHERE r.recompute_after IS NOT NULL) AS recompute
  FROM process_log l JOIN processes p USING (hash)
 ORDER BY l.n DESC LIMIT 1
