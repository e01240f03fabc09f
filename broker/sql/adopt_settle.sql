-- Nothing is left of a dead epoch: its slot is free.
--  $1 epoch
UPDATE brokers SET settled = true WHERE epoch = $1::bigint AND dead
