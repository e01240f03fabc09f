-- S9 no delivery without its outbox row, no outbox row left behind longer than its lease and a minute.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT d.ticket, NOT EXISTS (SELECT FROM outbox o WHERE o.ticket = d.ticket AND o.version = d.version AND o.audience = d.audience
                                       AND o.kind = d.kind AND o.generation = d.generation) AS bad FROM deliveries d
        UNION ALL
        SELECT ticket, lease_until + 60000000 < docket_now() FROM outbox WHERE state = 1) x
