-- As target_lock, but only addresses for which a page of P1 waits: it goes also when the relay has had what it may get.
--  $1 mark: negative, of this batch alone  $2 channel  $3 addresses and hosts that hold their share of its slots  $4 limit
WITH p AS MATERIALIZED (
    SELECT d.address
      FROM deliveries d
     WHERE d.channel = $2::text AND d.state = 0 AND docket_is_p1(d.kind, d.alert, d.priority) AND d.next_at <= (SELECT docket_began())
       AND d.address <> ALL ($3::text[]) AND docket_endpoint(d.address) <> ALL ($3::text[])
     ORDER BY d.next_at
     LIMIT 500
), q AS MATERIALIZED (
    SELECT t.address FROM targets t
     WHERE t.channel = $2::text AND t.ready_at <= (SELECT docket_began()) AND t.address IN (SELECT p.address FROM p)
     ORDER BY t.ready_at
     LIMIT $4::integer
       FOR UPDATE OF t SKIP LOCKED
)
UPDATE targets t SET ready_at = $1::bigint FROM q WHERE t.channel = $2::text AND t.address = q.address
