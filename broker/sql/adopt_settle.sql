-- A dead epoch's slot is free when nothing of it is left. What the sweep skipped, for another session held it, may be its wake still: that
-- session's change takes it, or fails and leaves it. Then the next tick sweeps again.
--  $1 epoch
UPDATE brokers SET settled = true
 WHERE epoch = $1::bigint AND dead
   AND NOT EXISTS (SELECT FROM desk
                    WHERE lane = ANY ('{0,1,2,3,4,5,6,7,8,9}'::smallint[]) AND rank <= docket_now() + 3600000000 AND owner = $1::bigint)
RETURNING epoch
