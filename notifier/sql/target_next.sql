-- How long until the next address of a channel is ready that is not yet, in µs. What is ready now is looked at by the ends of what is under way.
--  $1 channel
SELECT t.ready_at - docket_now() FROM targets t
 WHERE t.channel = $1::text AND t.ready_at > (SELECT docket_now()) ORDER BY t.ready_at LIMIT 1
