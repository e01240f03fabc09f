-- The broker's own alert to ops (not about one ticket), unless one is open for the cause. It is due at once.
--  $1 cause  $2 kind  $3 priority  $4 text
INSERT INTO alerts (cause, kind, priority, opened_at, body)
VALUES ($1::text, $2::text, $3::smallint, docket_now(), $4::text)
ON CONFLICT (cause) WHERE state < 2 DO NOTHING
