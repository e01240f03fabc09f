-- Opens alerts for tickets whose change was just applied, unless one is open for the cause; only a new one is told.
--  $1 tickets  $2 attempts after  $3 versions  $4 causes  $5 kinds  $6 priorities  $7 texts
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
a AS (
    INSERT INTO alerts (cause, ticket, kind, priority, opened_at, body)
    SELECT u.cause, u.ticket, u.kind, u.priority, clock.at, u.body
      FROM unnest($1::bigint[], $2::integer[], $4::text[], $5::text[], $6::smallint[], $7::text[])
           AS u(ticket, attempt, cause, kind, priority, body)
      JOIN desk d ON d.ticket = u.ticket AND d.attempt = u.attempt, clock
     ORDER BY u.cause
    ON CONFLICT (cause) WHERE state < 2 DO NOTHING
    RETURNING id, ticket, kind
)
INSERT INTO outbox (ticket, version, audience, kind, generation, created_at, alert)
SELECT a.ticket, v.version, 2, 'alert', (a.id & 2147483647)::integer, clock.at, a.id
  FROM a JOIN (SELECT DISTINCT ticket, version FROM unnest($1::bigint[], $3::integer[]) AS x(ticket, version)) v USING (ticket), clock
