-- Progress updates to customers behind a message that is being tried again for over so long become one of the current state: the newest, which
-- tells the words of those before it too. What is no update is never merged away and keeps its place: updates before it and after it do not join.
--  $1 mark  $2 channel  $3 µs since the head's first attempt
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
d AS MATERIALIZED (
    SELECT d.id, d.ticket, d.version, d.run, t.address
      FROM targets t CROSS JOIN clock CROSS JOIN LATERAL (
           SELECT d.id, d.ticket, d.version,
                  (SELECT count(*) FROM deliveries o
                    WHERE o.ticket = d.ticket AND o.channel = $2::text AND o.address = t.address AND o.version < d.version
                      AND o.kind <> 'update') AS run
             FROM deliveries d
            WHERE d.channel = $2::text AND d.address = t.address AND d.state = 0 AND d.attempts = 0 AND d.audience = 1 AND d.kind = 'update'
              AND d.ticket <> 0 AND NOT d.digest
              AND EXISTS (SELECT FROM deliveries h JOIN attempts a ON a.delivery = h.id AND a.n = 1
                           WHERE h.ticket = d.ticket AND h.channel = $2::text AND h.address = t.address AND h.state < 2 AND h.attempts > 0
                             AND (h.version < d.version OR h.version = d.version AND h.id < d.id) AND h.kind <> 'alert'
                             AND a.started_at < clock.at - $3::bigint)
            ORDER BY d.next_at
            LIMIT 500
              FOR UPDATE OF d SKIP LOCKED) d
     WHERE t.channel = $2::text AND t.ready_at = $1::bigint
), k AS MATERIALIZED (
    SELECT DISTINCT ON (d.ticket, d.address, d.run) d.ticket, d.address, d.run, d.id
      FROM d
     ORDER BY d.ticket, d.address, d.run, d.version DESC, d.id DESC
)
UPDATE deliveries x
   SET state = 7, bundle = k.id, ended_at = coalesce(x.ended_at, clock.at), reason = 'in delivery ' || k.id
  FROM d JOIN k USING (ticket, address, run) CROSS JOIN clock
 WHERE d.id <> k.id AND (x.id = d.id OR x.bundle = d.id)
