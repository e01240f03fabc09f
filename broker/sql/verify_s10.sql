-- S10 one open alert a cause.
SELECT count(*), count(*) FILTER (WHERE n > 1), NULL::bigint FROM (SELECT cause, count(*) AS n FROM alerts WHERE state < 2 GROUP BY cause) x
