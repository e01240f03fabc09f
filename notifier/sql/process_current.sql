-- The current process, if it is another than the one we know. Its templates are ours.
--  $1 process_log.n that we know
SELECT l.n, l.hash, p.files
  FROM (SELECT n, hash FROM process_log ORDER BY n DESC LIMIT 1) l JOIN processes p USING (hash)
 WHERE l.n <> $1::integer
