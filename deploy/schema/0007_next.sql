-- Whose turn is next: the earliest due time of a ticket's running clocks, as its last decision computed it.
ALTER TABLE desk ADD COLUMN due_at bigint;
CREATE INDEX desk_next ON desk (priority, due_at, ticket) WHERE assignee IS NULL AND state IN (0, 1, 7);
CREATE INDEX desk_next_queue ON desk (queue, priority, due_at, ticket) WHERE assignee IS NULL AND state IN (0, 1, 7) AND queue IS NOT NULL;
-- Resolved tickets whose customers said something since: they come first.
CREATE INDEX desk_replies ON desk (priority, due_at, ticket) WHERE state = 5 AND reply_pending;
