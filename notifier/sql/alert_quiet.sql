-- Before alerts climb: one that is muted, or that a wider one stands for, makes no step for now. Wider is an open alert, not less urgent and
-- opened before, of a ticket that this one is a child of, or of one tagged "outage" that shares a tag "region:…". Those who hear of the wider one
-- are told once how many it stands for. When the reason is gone it climbs; of several whose reason went at once a wider one stands for the
-- others already in the look that finds it out. The claim that
-- follows takes only what was looked at here, for an alert may come in between.
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
wide AS MATERIALIZED (
    SELECT p.id, p.ticket, p.priority, p.opened_at, pd.tags
      FROM alerts p JOIN desk pd ON pd.ticket = p.ticket CROSS JOIN clock
     WHERE p.state < 2 AND 'outage' = ANY (pd.tags)
       AND CASE WHEN p.quiet IS NULL THEN true
                WHEN p.inhibited_by IS NULL THEN docket_mute_of(clock.at, p.ticket, p.kind, p.priority) IS NULL
                ELSE NOT EXISTS (SELECT FROM alerts i WHERE i.id = p.inhibited_by AND i.state < 2) END
), c AS MATERIALIZED (
    SELECT a.id, a.quiet, docket_mute_of(clock.at, a.ticket, a.kind, a.priority) AS mute,
           coalesce((SELECT p.id FROM links l JOIN alerts p ON p.ticket = l.to_id
                      WHERE l.ticket = a.ticket AND l.as_link = 'child' AND p.state < 2 AND p.quiet IS NULL AND p.priority <= a.priority
                        AND p.opened_at <= a.opened_at AND p.id <> a.id
                      ORDER BY p.id LIMIT 1),
                    (SELECT w.id FROM wide w JOIN desk d ON d.ticket = a.ticket
                      WHERE w.ticket <> a.ticket AND w.priority <= a.priority AND (w.opened_at, w.id) < (a.opened_at, a.id)
                        AND EXISTS (SELECT FROM unnest(d.tags) x(tag) WHERE x.tag LIKE 'region:%' AND x.tag = ANY (w.tags))
                      ORDER BY w.opened_at, w.id LIMIT 1)) AS parent
      FROM alerts a, clock
     WHERE a.next_at <= clock.at AND a.state = 0 AND (a.lease_until IS NULL OR a.lease_until < clock.at)
     ORDER BY a.priority, a.next_at
     LIMIT 200
       FOR UPDATE OF a SKIP LOCKED
), u AS (
    UPDATE alerts a
       SET checked_at = clock.at, next_at = CASE WHEN coalesce(c.mute, c.parent) IS NULL THEN a.next_at ELSE clock.at + 30000000 END,
           quiet = CASE WHEN c.mute IS NOT NULL THEN 'muted by mute ' || c.mute
                        WHEN c.parent IS NOT NULL THEN 'alert ' || c.parent || ' stands for it' END,
           inhibited_by = CASE WHEN c.mute IS NULL THEN c.parent END
      FROM c, clock
     WHERE a.id = c.id
), m AS (
    UPDATE mutes m SET count = m.count + x.n
      FROM (SELECT c.mute, count(*)::integer AS n FROM c WHERE c.quiet IS DISTINCT FROM 'muted by mute ' || c.mute GROUP BY c.mute) x
     WHERE m.id = x.mute
)
INSERT INTO outbox (ticket, version, audience, kind, generation, created_at, alert)
SELECT coalesce(p.ticket, 0), 0, 2, 'inhibited', (p.id % 2147483647)::integer, clock.at, p.id
  FROM (SELECT DISTINCT parent FROM c WHERE parent IS NOT NULL AND mute IS NULL) x JOIN alerts p ON p.id = x.parent CROSS JOIN clock
ON CONFLICT DO NOTHING
