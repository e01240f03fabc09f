-- Which history the numbers of events belong to (common/feed.h).
SELECT system, timeline FROM docket_history()
