-- Takes one customer whose open tickets are still to move: of this broker, or of one that is gone.
--  $1 epoch
UPDATE moves m SET epoch = $1::bigint
  FROM (SELECT w.customer
          FROM moves w LEFT JOIN brokers b ON b.epoch = w.epoch
         WHERE w.epoch = $1::bigint OR b.epoch IS NULL OR b.dead
         ORDER BY w.customer LIMIT 1
           FOR UPDATE OF w SKIP LOCKED) x
 WHERE m.customer = x.customer
RETURNING m.customer, m.package, m.role, m.actor
