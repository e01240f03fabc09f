-- The end of an epoch, before anybody touches what was its: marked dead, which is final, and its backend ended, so that a
-- statement of it that still runs cannot land afterwards. Waits up to two seconds for the backend; false: it still lives.
--  $1 epoch
WITH old AS (
    UPDATE brokers SET dead = true WHERE epoch = $1::bigint RETURNING pid, backend_start
)
SELECT coalesce(bool_and(pg_terminate_backend(a.pid, 2000)), true) AS gone
  FROM old JOIN pg_stat_activity a ON a.pid = old.pid AND a.backend_start = old.backend_start
 WHERE a.pid <> pg_backend_pid()
