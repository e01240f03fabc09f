-- Below which transaction id all have ended; and who holds it up longest. See common/feed.h, step 3.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
       coalesce((SELECT pid FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
                  ORDER BY age(backend_xid) DESC LIMIT 1), 0) AS pid
