-- S7 no wake is owned by an epoch that is over for longer than its lease and two seconds.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT d.ticket, b.epoch IS NULL OR b.settled OR b.lease_until + 12000000 < docket_now() AS bad
          FROM desk d LEFT JOIN brokers b ON b.epoch = d.owner WHERE d.owner IS NOT NULL) x
