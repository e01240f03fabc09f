-- Mutes that are not over, and those that ended in the last week.
SELECT id, owner, reason, from_at, until_at, coalesce(ended_by, CASE WHEN ended OR until_at <= docket_now() THEN 'time' END) AS ended_by,
       customer, ticket, kind, priority, queue, tag, count, messages
  FROM mutes
 WHERE NOT ended OR until_at > docket_now() - 604800000000
 ORDER BY id DESC
 LIMIT 500
