-- Which history the feed's numbers belong to (common/feed.h).
SELECT system, timeline FROM docket_history()
