-- One key, one thing, also when a posting and another op with the same key meet at two brokers: each looks for the other's row, and under READ
-- COMMITTED does not see what is not committed yet. Both insert into one unique index, tickets_key: there the later one waits for the
-- earlier one's end, whatever its snapshot.

-- For ops: whether a posting has this key. The row put in and taken out again is never seen by anybody; but a posting with the key that is
-- under way is waited for here, and one that comes later waits there until this transaction ends. An op with this key that ended meanwhile
-- is for the repeated batch to find (40001).
CREATE FUNCTION docket_key_posted(digest bytea) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    marker bigint;
BEGIN
    INSERT INTO tickets (id, seq, posted_at, key_digest, content_digest, customer, title, problem)
    VALUES (-1 - ('x' || encode(substr(digest, 1, 7), 'hex'))::bit(56)::bigint, 0, 0, digest, '', '', '', '')
    ON CONFLICT DO NOTHING
    RETURNING id INTO marker;
    IF marker IS NULL THEN
        RETURN true;
    END IF;
    DELETE FROM tickets WHERE id = marker;
    IF EXISTS (SELECT FROM keys k WHERE k.digest = docket_key_posted.digest) THEN
        RAISE serialization_failure USING MESSAGE = 'another op with this key was just committed';
    END IF;
    RETURN false;
END $$;

-- For postings, once they are in (posted tells how many: asked before, it would be asked too early): none of their keys belongs to an op. A
-- fresh look, for an op may have ended while its row was waited for. The code is that of what the batch does next.
CREATE FUNCTION docket_keys_free(digests bytea[], posted bigint, code text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF posted > 0 AND EXISTS (SELECT FROM keys k WHERE k.digest = ANY (digests)) THEN
        RAISE EXCEPTION USING ERRCODE = code, MESSAGE = 'a key was used by another op';
    END IF;
    RETURN true;
END $$;
