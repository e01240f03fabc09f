-- Who holds the feed up: the oldest transaction that has written and is not over (common/feed.h: no number beyond it is told). pid 0: a
-- prepared one.
SELECT pid, held_us
  FROM (SELECT pid, (extract(epoch FROM clock_timestamp() - xact_start) * 1000000)::bigint AS held_us
          FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
        UNION ALL
        SELECT 0, (extract(epoch FROM clock_timestamp() - prepared) * 1000000)::bigint FROM pg_prepared_xacts) held
 ORDER BY held_us DESC LIMIT 1
