-- Takes one parent's event whose children are to have it too: the oldest of its ticket, of this broker or of one that is gone.
--  $1 epoch
UPDATE fanouts f SET epoch = $1::bigint
  FROM (SELECT w.ticket, w.version
          FROM fanouts w LEFT JOIN brokers b ON b.epoch = w.epoch
         WHERE (w.epoch = $1::bigint OR b.epoch IS NULL OR b.dead)
           AND NOT EXISTS (SELECT FROM fanouts e WHERE e.ticket = w.ticket AND e.version < w.version)
         ORDER BY w.ticket, w.version LIMIT 1
           FOR UPDATE OF w SKIP LOCKED) x
 WHERE f.ticket = x.ticket AND f.version = x.version
RETURNING f.ticket, f.version
