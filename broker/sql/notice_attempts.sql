-- How often it was tried, and how that went.
--  $1 the message's number
SELECT n, started_at, ended_at, notifier, result, reply FROM attempts WHERE delivery = $1::bigint ORDER BY n LIMIT 500
