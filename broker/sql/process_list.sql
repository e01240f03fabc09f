-- process.list: which versions were made current, when and by whom, newest first.
SELECT n, hash, at, actor, role, comment, recompute_after IS NOT NULL AS recomputing, recomputed FROM process_log ORDER BY n DESC LIMIT 500
