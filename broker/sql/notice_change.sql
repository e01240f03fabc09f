-- notification.retry, discard, release. Conditional updates: of two operators who do the same, one does it. Which messages, each way by its own index,
-- then each by its number: never all that were ever sent.
--  $1 key digest  $2 content digest  $3 request  $4 0 retry, 1 discard, 2 release  $5 number of the message, NULL: all that failed
--  $6 actor  $7 reason  release: $8 what is older stays held, or NULL  $9 what is older is discarded, or NULL
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea RETURNING content, request, version),
go AS MATERIALIZED (
    SELECT x.key_taken, NOT x.key_taken AND NOT EXISTS (SELECT FROM k) AS go
      FROM (SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken) x
), old AS MATERIALIZED (SELECT state FROM deliveries WHERE id = $5::bigint),
i AS MATERIALIZED (
    SELECT $5::bigint AS id FROM go WHERE go.go AND $4::smallint < 2 AND $5::bigint IS NOT NULL
    UNION ALL
    (SELECT d.id FROM go CROSS JOIN deliveries d
      WHERE go.go AND $4::smallint = 0 AND $5::bigint IS NULL AND d.state IN (4, 5) LIMIT 1000)
    UNION ALL
    SELECT d.id FROM go CROSS JOIN deliveries d
     WHERE go.go AND $4::smallint = 2 AND d.state = 0 AND d.state < 2 AND d.created_at < greatest($8::bigint, $9::bigint)
), d AS MATERIALIZED (
    SELECT d.id
      FROM i CROSS JOIN LATERAL (
           SELECT d.id FROM deliveries d
            WHERE d.id = i.id
              AND CASE $4::smallint
                  WHEN 0 THEN d.state IN (4, 5, 6, 8, 9) AND $5::bigint IS NOT NULL OR d.state IN (4, 5)
                  WHEN 1 THEN d.state IN (0, 4, 5, 6, 9)
                  ELSE d.state = 0 END
            LIMIT 1
              FOR UPDATE OF d) d
), u AS (
    UPDATE deliveries x
       SET state = CASE WHEN $4::smallint = 0 THEN 0 WHEN $4::smallint = 1 OR x.created_at < $9::bigint THEN 8 ELSE 9 END,
           next_at = CASE $4::smallint WHEN 0 THEN clock.at ELSE x.next_at END, digest = x.digest AND $4::smallint <> 0,
           ended_at = CASE WHEN $4::smallint <> 0 THEN clock.at END, token = NULL, lease_until = NULL,
           reason = CASE WHEN $4::smallint = 0 THEN 'sent again by ' WHEN $4::smallint = 1 OR x.created_at < $9::bigint THEN 'discarded by ' ELSE 'held by ' END ||
                    $6::text || coalesce(': ' || $7::text, '')
      FROM clock
     WHERE x.id = ANY (ARRAY(SELECT d.id FROM d))
    RETURNING x.channel, x.address, x.state
), o AS (
    UPDATE outbox x
       SET state = CASE WHEN x.created_at < $9::bigint THEN 5 ELSE 6 END, token = NULL, lease_until = NULL,
           reason = CASE WHEN x.created_at < $9::bigint THEN 'discarded by ' ELSE 'held by ' END || $6::text
      FROM go
     WHERE go.go AND $4::smallint = 2 AND x.state < 2 AND x.created_at < greatest($8::bigint, $9::bigint)
    RETURNING x.ticket
), t AS (
    UPDATE telling t SET held = false, reason = 'released by ' || $6::text, changed_at = clock.at, changed_by = $6::text
      FROM go, clock
     WHERE go.go AND $4::smallint = 2
    RETURNING t.held
), q AS (
    INSERT INTO targets AS q (channel, address, ready_at)
    SELECT u.channel, u.address, clock.at FROM u, clock WHERE u.state = 0 GROUP BY u.channel, u.address, clock.at
     ORDER BY u.channel, u.address
    ON CONFLICT (channel, address) DO UPDATE SET ready_at = excluded.ready_at, blocked_until = 0, suppressed_until = NULL, failing_since = NULL
), n AS MATERIALIZED (SELECT (SELECT count(*) FROM u)::integer + (SELECT count(*) FROM o)::integer AS count),
kk AS (
    INSERT INTO keys (digest, content, request, at, version)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at, n.count FROM go, n, clock
     WHERE go.go AND (n.count > 0 OR $4::smallint = 2 OR $5::bigint IS NULL)
)
SELECT coalesce(k.version, n.count) AS count, go.key_taken, old.state AS old_state, k.content AS key_content, k.request AS key_request
  FROM n CROSS JOIN go LEFT JOIN old ON true LEFT JOIN k ON true
