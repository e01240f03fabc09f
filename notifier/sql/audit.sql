-- The notifier's look at itself: what may never be. A rule each, how many break it, and one of them. Two minutes are left to whoever is at work
-- (a lease is one), ten to what another notifier has to take over. Each part reads an index from where it matters, but for the deadlines: an index over
-- what is due would cost every decision more than reading the narrow rows of what is open once a minute (0.3 s for a million).
--  $1 how far back missed promises are looked at, µs
WITH r (rule, what, example) AS (
    SELECT 'alerts', 'open alerts of P1 and P2 without a next step', 'alert ' || a.id
      FROM alerts a
     WHERE a.state = 0 AND a.priority <= 2 AND a.opened_at < (SELECT docket_now() - 120000000) AND a.next_at < (SELECT docket_now() - 120000000)
    UNION ALL
    SELECT 'alerts', 'open alerts of P1 and P2 without a next step', 'alert ' || a.id
      FROM alerts a
     WHERE a.state = 0 AND a.priority <= 2 AND a.opened_at < (SELECT docket_now() - 120000000) AND a.next_at IS NULL
    UNION ALL
    SELECT 'deadlines', 'promises whose time is over, and nobody judged them', 'ticket ' || d.ticket
      FROM desk d
     WHERE d.state IN (0, 1, 2, 3, 4, 5, 7) AND d.due_at < (SELECT docket_now() - 120000000) AND NOT d.dead
    UNION ALL
    SELECT 'notices', 'missed promises without an alert', 'ticket ' || l.ticket || ', ' || l.clock
      FROM deadlines l
     WHERE l.due_at > (SELECT docket_now() - $1::bigint) AND l.due_at <= (SELECT docket_now()) AND l.verdict = 'missed'
       AND NOT EXISTS (SELECT FROM alerts a
                        WHERE a.ticket = l.ticket AND a.cause LIKE 'missed:%' AND a.cause LIKE '%:' || l.clock || ':' || l.cycle)
    UNION ALL
    SELECT 'rows', 'messages that nobody will look at again', 'outbox row ' || o.kind || ' of ticket ' || o.ticket
      FROM outbox o
     WHERE o.state = 1 AND o.state < 2 AND (o.token IS NULL OR o.lease_until IS NULL OR o.lease_until < (SELECT docket_now() - 600000000))
    UNION ALL
    SELECT 'rows', 'messages that nobody will look at again', 'message ' || d.id
      FROM deliveries d
     WHERE d.state = 1 AND (d.token IS NULL OR d.lease_until IS NULL OR d.lease_until < (SELECT docket_now() - 600000000))
    UNION ALL
    SELECT 'rows', 'messages that nobody will look at again', 'message ' || d.id
      FROM deliveries d LEFT JOIN targets t ON t.channel = d.channel AND t.address = d.address
     WHERE d.state = 0 AND d.next_at < (SELECT docket_now() - 120000000) AND t.ready_at IS NULL
)
SELECT rule, what, count(*) AS count, min(example) AS example FROM r GROUP BY rule, what ORDER BY rule
