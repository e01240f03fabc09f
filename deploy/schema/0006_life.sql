-- The life cycle's further parts: what goes from a parent to its children, meetings, excused misses, correlations.

-- Words and states of a parent that are still to become events of its children. A row goes when all children have theirs.
CREATE TABLE fanouts (
    ticket  bigint  NOT NULL,
    version integer NOT NULL,                          -- the parent's event
    epoch   bigint  NOT NULL,                          -- of the broker that does it
    PRIMARY KEY (ticket, version)
);
CREATE INDEX links_to_as ON links (to_id, as_link, ticket);

-- Meetings as they stand; each change is an event of the ticket.
CREATE TABLE meetings (
    ticket     bigint  NOT NULL,
    meeting    text    NOT NULL,
    version    integer NOT NULL,                       -- of the event that changed it last: SEQUENCE of the invitation
    cancelled  boolean NOT NULL,
    medium     text    NOT NULL,                       -- im, phone
    at         bigint  NOT NULL,
    duration_s bigint  NOT NULL,
    place      text,
    attendees  text[]  NOT NULL,
    PRIMARY KEY (ticket, meeting)
);

-- A lead's word that a miss was not the desk's fault. The verdict stays; reports show both.
CREATE TABLE excuses (
    ticket bigint  NOT NULL,
    clock  text    NOT NULL,
    cycle  integer NOT NULL,
    at     bigint  NOT NULL,
    actor  text    NOT NULL,
    reason text    NOT NULL,
    PRIMARY KEY (ticket, clock, cycle)
);

-- The open ticket of a customer's correlation: further submits become events there.
CREATE TABLE correlations (
    customer    text   NOT NULL,
    correlation text   NOT NULL,
    ticket      bigint NOT NULL,
    at          bigint NOT NULL,
    PRIMARY KEY (customer, correlation)
);
