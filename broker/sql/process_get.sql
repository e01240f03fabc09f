-- process.get: the files of a version; NULL: of the current one. A hash may be shortened; of several that begin so the one applied last.
--  $1 beginning of the hash, or NULL
WITH named AS MATERIALIZED (SELECT n, hash FROM process_log WHERE hash LIKE $1::text || '%')
SELECT p.hash, p.files FROM processes p
 WHERE p.hash = CASE WHEN $1::text IS NULL THEN (SELECT l.hash FROM process_log l ORDER BY l.n DESC LIMIT 1)
                     ELSE (SELECT named.hash FROM named ORDER BY named.n DESC LIMIT 1) END
