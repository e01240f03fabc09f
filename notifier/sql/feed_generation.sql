-- Which history the numbers of events belong to (common/feed.h), and where they stand.
SELECT c.system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer AS timeline
  FROM pg_control_system() c
