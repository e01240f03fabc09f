-- The last number that was given out; see common/feed.h, step 1.
SELECT last_value FROM event_seq
