-- process.get: the files of a version; NULL: of the current one. A hash may be shortened.
--  $1 beginning of the hash, or NULL
SELECT p.hash, p.files FROM processes p
 WHERE p.hash = (SELECT l.hash FROM process_log l WHERE $1::text IS NULL OR l.hash LIKE $1::text || '%' ORDER BY l.n DESC LIMIT 1)
