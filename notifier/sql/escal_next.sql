-- In how long the next step is due, or a lease ends; and how many alerts are open that should climb and would not.
SELECT min(greatest(next_at, coalesce(lease_until, 0))) - docket_now() AS due_in,
       (SELECT count(*) FROM alerts WHERE state = 0 AND next_at IS NULL) AS stuck,
       (SELECT count(*) FROM alerts WHERE state = 0) AS open,
       (SELECT count(*) FROM alerts WHERE state = 1) AS acknowledged
  FROM alerts
 WHERE next_at IS NOT NULL
