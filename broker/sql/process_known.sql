-- The number of a version by its hash: decisions are stamped with it.
--  $1 hash
SELECT n FROM process_log WHERE hash = $1::text ORDER BY n DESC LIMIT 1
