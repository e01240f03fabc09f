-- Progress updates to customers (also what rules tell them) behind a message that is being tried again for over so long become one of the current state: the newest, which
-- tells the words of those before it too. What is no update is never merged away and keeps its place: updates before it and after it do not
-- join. Looks at the first 500 that wait for each address, however long its queue is. Waits for nobody: who holds one of them (the end of an
-- attempt that lets it go) may want the address next, which is ours; what is held joins with a later look.
--  $1 mark  $2 channel  $3 µs since the head's first attempt
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
q AS MATERIALIZED (SELECT t.address FROM targets t WHERE t.channel = $2::text AND t.ready_at = $1::bigint),
f AS MATERIALIZED (
    SELECT d.*, q.address
      FROM q CROSS JOIN LATERAL (
           SELECT d.id, d.ticket, d.version, d.kind, d.audience, d.attempts, d.digest
             FROM deliveries d
            WHERE d.channel = $2::text AND d.address = q.address AND d.state = 0
            ORDER BY d.next_at
            LIMIT 500) d
), d AS MATERIALIZED (
    SELECT f.id, f.ticket, f.version, f.address,
           (SELECT count(*) FROM deliveries o
             WHERE o.ticket = f.ticket AND o.channel = $2::text AND o.address = f.address AND o.version < f.version AND o.kind NOT IN ('update', 'tell')) AS run
      FROM f CROSS JOIN clock
     WHERE f.audience = 1 AND f.kind IN ('update', 'tell') AND f.ticket <> 0 AND f.attempts = 0 AND NOT f.digest
       AND EXISTS (SELECT FROM deliveries h JOIN attempts a ON a.delivery = h.id AND a.n = 1
                    WHERE h.ticket = f.ticket AND h.channel = $2::text AND h.address = f.address AND h.state < 2 AND h.attempts > 0
                      AND (h.version < f.version OR h.version = f.version AND h.id < f.id) AND h.kind <> 'alert'
                      AND a.started_at < clock.at - $3::bigint)
), l AS MATERIALIZED (
    SELECT d.* FROM d JOIN deliveries x USING (id) WHERE x.state = 0 AND x.attempts = 0 ORDER BY d.id FOR UPDATE OF x SKIP LOCKED
), k AS MATERIALIZED (
    SELECT DISTINCT ON (l.ticket, l.address, l.run) l.ticket, l.address, l.run, l.id
      FROM l
     ORDER BY l.ticket, l.address, l.run, l.version DESC, l.id DESC
)
UPDATE deliveries x
   SET state = 7, bundle = k.id, ended_at = coalesce(x.ended_at, clock.at), reason = 'in delivery ' || k.id
  FROM l JOIN k USING (ticket, address, run) CROSS JOIN clock
 WHERE l.id <> k.id AND (x.id = l.id OR x.bundle = l.id)
