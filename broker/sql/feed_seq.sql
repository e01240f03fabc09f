-- The last number given to an event, committed or not.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last_value FROM event_seq
