-- Before the steps of a look, in their transaction: the addresses that they make ready are locked, in the one order in which all do.
--  $1 channels and $2 addresses of the pages  $3 alerts that are over: who had been told of them
INSERT INTO targets AS t (channel, address)
SELECT u.channel, u.address FROM unnest($1::text[], $2::text[]) AS u(channel, address)
UNION
SELECT d.channel, d.address FROM deliveries d WHERE d.alert = ANY ($3::bigint[]) AND d.attempts > 0
 ORDER BY channel, address
ON CONFLICT (channel, address) DO UPDATE SET ready_at = t.ready_at
