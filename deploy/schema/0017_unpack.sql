-- The outbox is unpacked in the order in which it is to be told: a receipt, and what may join it, overtake what came up to a minute before. One index
-- in the place of another: each posting writes it.
CREATE FUNCTION docket_tell_at(kind text, created_at bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN created_at - CASE WHEN kind IN ('received', 'triaged') THEN 60000000 ELSE 0 END;
CREATE INDEX outbox_unpack ON outbox (docket_tell_at(kind, created_at)) WHERE state < 2;
DROP INDEX outbox_pending;
