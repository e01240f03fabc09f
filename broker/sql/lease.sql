-- Renews the lease of an epoch that is neither dead nor lapsed; also grants ids ahead and moves the mark. No row: it is over. Tells whether
-- another broker lives, and what the desk of the busiest wants.
--  $1 epoch  $2 lease in µs  $3 seconds of ids granted ahead  $4 mark  $5 what the desk wants of this broker, in thousandths of the time (pace.h)
UPDATE brokers
   SET lease_until = c.at + $2::bigint,
       ids_until = greatest(ids_until, c.at / 1000000 - 1577836800 + $3::bigint),
       mark = greatest(mark, $4::bigint),
       wanted = $5::smallint
  FROM (SELECT docket_now() AS at) c
 WHERE epoch = $1::bigint AND NOT dead AND lease_until > c.at
RETURNING c.at, lease_until, ids_until,
          (SELECT max(b.wanted) FROM brokers b WHERE NOT b.settled AND NOT b.dead AND b.epoch <> $1::bigint AND b.lease_until > c.at) AS others_wanted
