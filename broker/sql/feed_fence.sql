-- A new transaction id, in a transaction of its own.
SELECT pg_current_xact_id()::text::bigint AS xid
