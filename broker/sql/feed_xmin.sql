-- The oldest transaction that still runs.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin
