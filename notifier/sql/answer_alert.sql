-- The alert that somebody answers: told over this channel to this address, not over yet; the one that is named, else the last one.
--  $1 channel  $2 address  $3 alerts.id, or 0
SELECT a.id, a.generation, coalesce(a.ticket, 0) AS ticket, r.recipient
  FROM alerts a JOIN deliveries r ON r.alert = a.id
 WHERE a.state < 2 AND r.channel = $1::text AND lower(r.address) = lower($2::text) AND ($3::bigint = 0 OR a.id = $3::bigint)
 ORDER BY r.id DESC
 LIMIT 1
