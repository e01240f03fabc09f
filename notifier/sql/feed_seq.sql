-- The last number that was given out, 0 before the first; see common/feed.h, step 1.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM event_seq
