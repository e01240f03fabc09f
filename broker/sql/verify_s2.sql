-- S2 a posting is event 1: a ticket has no other event 1, and desk rows have tickets.
SELECT (SELECT count(*) FROM tickets),
       (SELECT count(*) FROM events WHERE version < 2) + (SELECT count(*) FROM desk d WHERE NOT EXISTS (SELECT FROM tickets t WHERE t.id = d.ticket)),
       (SELECT min(ticket) FROM events WHERE version < 2)
