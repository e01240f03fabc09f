-- What the look at itself found: an alert to ops for each rule while it is broken, and its end when it is no more.
--  $1 causes  $2 texts
WITH g AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::text[]) AS u(cause, body)),
r AS (
    UPDATE alerts a SET state = 2, resolved_at = docket_now(), next_at = 0, token = NULL, lease_until = NULL
     WHERE a.cause LIKE 'audit:%' AND a.kind = 'ops' AND a.state < 2 AND NOT EXISTS (SELECT FROM g WHERE g.cause = a.cause)
)
INSERT INTO alerts (cause, kind, priority, opened_at, body)
SELECT g.cause, 'ops', 2, docket_now(), g.body FROM g ORDER BY g.cause
ON CONFLICT (cause) WHERE state < 2 DO NOTHING
