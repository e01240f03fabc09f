-- What the notifier found by itself: an alert to ops for each thing while it is so, and its end when it is no more. Schedules without anybody
-- in the days to come; rules that the look at itself finds broken.
--  $1 causes  $2 texts  $3 what all causes of this kind are LIKE  $4 priority
WITH g AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::text[]) AS u(cause, body)),
r AS (
    UPDATE alerts a SET state = 2, resolved_at = docket_now(), next_at = 0, token = NULL, lease_until = NULL
     WHERE a.cause LIKE $3::text AND a.kind = 'ops' AND a.state < 2 AND NOT EXISTS (SELECT FROM g WHERE g.cause = a.cause)
)
INSERT INTO alerts (cause, kind, priority, opened_at, body)
SELECT g.cause, 'ops', $4::smallint, docket_now(), g.body FROM g ORDER BY g.cause
ON CONFLICT (cause) WHERE state < 2 DO NOTHING
