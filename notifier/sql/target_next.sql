-- How long until the next address of a channel is ready that was not when this transaction began, in µs; not above 0: it is by now. What was ready
-- then is looked at by the ends of what is under way.
--  $1 channel
SELECT t.ready_at - docket_now() FROM targets t
 WHERE t.channel = $1::text AND t.ready_at > (SELECT docket_began()) ORDER BY t.ready_at LIMIT 1
