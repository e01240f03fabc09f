-- S6 a wake that is to come stands in a lane with a rank; one that is dead stands in none.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT ticket, (lane IS NULL) <> (rank IS NULL) OR (lane IS NOT NULL AND wake_at IS NULL) OR (dead AND lane IS NOT NULL)
                       OR (owner IS NOT NULL AND lane IS NULL) AS bad FROM desk) x
