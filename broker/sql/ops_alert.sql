-- The broker's own alert to ops (not about one ticket), unless one is open for the cause.
--  $1 cause  $2 kind  $3 priority  $4 text
WITH a AS (
    INSERT INTO alerts (cause, kind, priority, opened_at, body)
    VALUES ($1::text, $2::text, $3::smallint, docket_now(), $4::text)
    ON CONFLICT (cause) WHERE state < 2 DO NOTHING
    RETURNING id, opened_at
)
INSERT INTO outbox (ticket, version, audience, kind, generation, created_at, alert)
SELECT 0, 0, 3, 'alert', (a.id & 2147483647)::integer, a.opened_at, a.id FROM a
