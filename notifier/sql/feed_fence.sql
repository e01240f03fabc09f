-- A fence: a transaction id that is younger than all that hold a number read before; see common/feed.h, step 2.
SELECT pg_current_xact_id()::text::bigint
