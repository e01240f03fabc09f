-- process.list: which versions were made current, when and by whom, newest first.
SELECT n, hash, at, actor, role, comment FROM process_log ORDER BY n DESC LIMIT 500
