-- What messages about a ticket wait for that no reason of their own tells of (what is held back for a summary has one): as delivery_claim lets
-- them wait. Breakers are in the notifiers' memory: whether it is one is not known here.
--  $1 ticket
WITH clock AS MATERIALIZED (SELECT docket_now() AS at)
SELECT d.id, d.kind, d.channel, d.address, CASE WHEN d.next_at > clock.at THEN d.next_at END AS next_at,
       CASE WHEN t.held THEN 'all messages are held: ' || coalesce(t.reason, 'nobody said why')
            WHEN b.id IS NOT NULL THEN 'message ' || b.id || ' of this ticket to the same address goes first'
            WHEN d.next_at > clock.at AND d.attempts > 0 THEN 'it is tried again'
            WHEN d.next_at > clock.at AND d.way > 0 THEN 'another way to this person is tried first'
            WHEN d.next_at > clock.at THEN 'its time has not come'
            ELSE 'it is due: no notifier is there, or none has room for it, or its relay or endpoint is left alone for a moment after failures' END AS why
  FROM deliveries d CROSS JOIN clock LEFT JOIN telling t ON true
       LEFT JOIN LATERAL (SELECT min(e.id) AS id FROM deliveries e
                           WHERE e.ticket = d.ticket AND (e.version < d.version OR e.version = d.version AND e.id < d.id)
                             AND e.channel = d.channel AND e.address = d.address AND e.state < 2 AND e.kind <> 'alert' AND NOT e.digest) b
              ON d.kind <> 'alert' AND d.ticket <> 0
 WHERE d.ticket = $1::bigint AND d.state = 0 AND NOT d.digest
 ORDER BY d.id
 LIMIT 200
