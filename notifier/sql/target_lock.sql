-- Locks addresses that are ready, those that waited longest first; the deliveries of the next statements of this batch are theirs. Each of
-- those statements sees what was added until the lock was taken, so nothing is forgotten; and as whoever adds to the queue locks the address
-- too, they all see the same, by the same clock: when the transaction began.
--  $1 mark: negative, of this batch alone  $2 channel  $3 addresses and hosts that hold their share of its slots  $4 limit
WITH q AS MATERIALIZED (
    SELECT t.address FROM targets t
     WHERE t.channel = $2::text AND t.ready_at <= (SELECT docket_began()) AND t.address <> ALL ($3::text[])
       AND docket_endpoint(t.address) <> ALL ($3::text[])
     ORDER BY t.ready_at
     LIMIT $4::integer
       FOR UPDATE OF t SKIP LOCKED
)
UPDATE targets t SET ready_at = $1::bigint FROM q WHERE t.channel = $2::text AND t.address = q.address
