-- How many people of the desk took or solved tickets lately.
SELECT count(DISTINCT actor) FROM events
 WHERE seq > (SELECT last_value FROM event_seq) - 200000 AND kind IN (6, 16) AND role IN (0, 3)
   AND at > docket_now() - 7 * 86400 * 1000000::bigint
