-- Silence on purpose: mutes that people set for staff's messages, and alerts that a wider one stands for.
CREATE TABLE mutes (
    id           bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    made_at      bigint   NOT NULL,
    owner        text     NOT NULL,
    reason       text     NOT NULL,
    from_at      bigint   NOT NULL,
    until_at     bigint   NOT NULL,
    ended_by     text,                                 -- who ended it early
    ended        boolean  NOT NULL DEFAULT false,      -- and its end was told
    customer     text,                                 -- what it mutes: all that are given must fit
    ticket       bigint,
    kind         text,
    priority     smallint,                             -- NULL: all but P1
    queue        text,
    tag          text,
    count        integer  NOT NULL DEFAULT 0           -- alerts it held back
);
CREATE INDEX mutes_open ON mutes (until_at) WHERE NOT ended;

ALTER TABLE alerts
    ADD COLUMN quiet        text,                      -- why it makes no step now
    ADD COLUMN inhibited_by bigint,                    -- the alert that stands for it
    ADD COLUMN checked_at   bigint;                    -- when it was looked at whether it is to be quiet: before each step
CREATE INDEX alerts_inhibited ON alerts (inhibited_by) WHERE inhibited_by IS NOT NULL;

-- The mute that a message to staff falls under, or NULL.
CREATE FUNCTION docket_mute_of(at bigint, about bigint, what text, urgency smallint) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT m.id
              FROM mutes m LEFT JOIN tickets t ON t.id = about LEFT JOIN desk d ON d.ticket = about
             WHERE NOT m.ended AND m.from_at <= at AND m.until_at > at
               AND (m.ticket IS NULL OR m.ticket = about) AND (m.customer IS NULL OR m.customer = t.customer)
               AND (m.kind IS NULL OR m.kind = what) AND (m.queue IS NULL OR m.queue = d.queue)
               AND (m.tag IS NULL OR m.tag = ANY (d.tags))
               AND CASE WHEN m.priority IS NULL THEN coalesce(urgency, 4) > 1 ELSE m.priority = urgency END
             ORDER BY m.id
             LIMIT 1);

-- {"text": …} as MessagePack, for what the database itself has to tell.
CREATE FUNCTION docket_text_body(words text) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '\x81a474657874da'::bytea || int2send(octet_length(left(words, 2000))::smallint) || convert_to(left(words, 2000), 'UTF8');
