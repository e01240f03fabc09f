-- Epochs that are over and of which something may be left: dead, or their lease ran out (which makes them dead for good).
--  $1 own epoch
UPDATE brokers SET dead = true
  FROM (SELECT docket_now() AS at) c
 WHERE NOT settled AND epoch <> $1::bigint AND (dead OR lease_until < c.at)
RETURNING epoch, slot, mark, ids_until, name
