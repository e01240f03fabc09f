-- The desk: everything that must survive. What never changes (tickets, events, deadlines) and what moves (desk, outbox,
-- deliveries) live apart; the moving rows are narrow. No foreign keys on hot tables: they cost a third of the rate.
-- Instants (…_at) are microseconds since the Unix epoch, UTC, by this server's clock. Maps are MessagePack in bytea.

CREATE FUNCTION docket_now() RETURNS bigint
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;

-- A wake's class by the ticket's priority (enum wake_class): P1, not yet triaged, P2, P3, P4.
CREATE FUNCTION docket_class(priority smallint) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (CASE priority WHEN 1 THEN 0 WHEN 2 THEN 2 WHEN 3 THEN 3 WHEN 4 THEN 4 ELSE 1 END)::smallint;

-- The feed's order. CACHE 1: a larger one would give numbers that lie before those already read.
CREATE SEQUENCE event_seq CACHE 1;

-- The posting, written once. It is event 1 of its ticket.
CREATE TABLE tickets (
    id             bigint PRIMARY KEY,                 -- 60 bits, made by the broker (common/tracking.h)
    seq            bigint NOT NULL DEFAULT nextval('event_seq'),
    posted_at      bigint NOT NULL,
    key_digest     bytea  NOT NULL,                    -- 16 bytes over client and key
    content_digest bytea  NOT NULL,                    -- 16 bytes over the checked request
    customer       text   NOT NULL,
    package        text,                               -- the customer's at posting; NULL: the customer was unknown
    title          text   NOT NULL,
    problem        bytea  NOT NULL,                    -- UTF-8 text; bytea is 9 % faster to write than text
    extra          bytea                               -- map: equipment, configuration, contact, channel, impact, …
);
CREATE UNIQUE INDEX tickets_key ON tickets (key_digest);
CREATE INDEX tickets_seq ON tickets (seq);
CREATE INDEX tickets_customer ON tickets (customer, id);

-- The one narrow row that decides. Absent: new, version 1, attempt 1, owned by the broker whose slot is in the id.
CREATE TABLE desk (
    ticket        bigint   PRIMARY KEY,
    wake_at       bigint,                              -- NULL: sleeps until somebody does something
    rank          bigint,                              -- wake_at + the customer's debt; order within the lane
    owner         bigint,                              -- epoch of the broker that holds the wake
    updated_at    bigint   NOT NULL,
    version       integer  NOT NULL,                   -- number of the last event
    decided       integer  NOT NULL DEFAULT 1,         -- version at the last decision
    attempt       integer  NOT NULL,                   -- the fence: rises with each owner and each decision, never falls
    lane          smallint,                            -- 0–4: waits now, by class; 5–9: sleeps, 5 + class
    failures      smallint NOT NULL DEFAULT 0,
    state         smallint NOT NULL,                   -- enum desk_state
    priority      smallint,                            -- 1–4; NULL before triage
    held          smallint NOT NULL DEFAULT 0,         -- enum desk_held, a bit each
    reply_pending boolean  NOT NULL DEFAULT false,
    dead          boolean  NOT NULL DEFAULT false,     -- its wake was given up: see dead_letters
    assignee      text,
    queue         text,
    kind          text,
    tags          text[],
    clocks        bytea                                -- list of maps, as the last decision gave it
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
-- Owner stands in no index, so that a claim is a heap-only update.
CREATE INDEX desk_lane ON desk (lane, rank);
CREATE INDEX desk_state ON desk (state, priority, ticket);
CREATE INDEX desk_assignee ON desk (assignee, ticket) WHERE assignee IS NOT NULL;

-- What people changed of a posting since: the whole field, the last one counts.
CREATE TABLE amendments (
    ticket        bigint PRIMARY KEY,
    title         text,
    equipment     bytea,
    configuration bytea,
    attributes    bytea
);

-- Append-only. A ticket's versions rise with seq, because seq is taken after its desk row is locked.
CREATE TABLE events (
    ticket   bigint   NOT NULL,
    seq      bigint   NOT NULL DEFAULT nextval('event_seq'),
    at       bigint   NOT NULL,
    version  integer  NOT NULL,
    process  integer,                                  -- process_log.n the decision was made with
    kind     smallint NOT NULL,                        -- enum desk_event
    role     smallint,                                 -- enum desk_role; NULL: the desk itself
    public   boolean  NOT NULL,
    verified boolean  NOT NULL DEFAULT false,          -- whether a key vouches for actor and role
    actor    text,
    body     bytea,
    PRIMARY KEY (ticket, version)
);
CREATE INDEX events_seq ON events (seq);

CREATE TABLE links (
    ticket  bigint NOT NULL,
    to_id   bigint NOT NULL,
    as_link text   NOT NULL,                           -- duplicate, related, child
    at      bigint NOT NULL,
    PRIMARY KEY (ticket, to_id, as_link)
);
CREATE INDEX links_to ON links (to_id);

-- Each promise's verdict, a row a cycle, never rewritten. Running clocks live in desk.clocks.
CREATE TABLE deadlines (
    ticket    bigint   NOT NULL,
    clock     text     NOT NULL,
    cycle     integer  NOT NULL,
    verdict   text     NOT NULL,                       -- met, missed
    cause     text,
    priority  smallint,
    promise_s bigint   NOT NULL,
    due_at    bigint   NOT NULL,
    met_at    bigint,
    worked_s  bigint   NOT NULL,
    paused_s  bigint   NOT NULL,
    process   integer,                                 -- versions it was judged by
    zones     text,
    judged_at bigint   NOT NULL,
    PRIMARY KEY (ticket, clock, cycle)
);
CREATE INDEX deadlines_due ON deadlines (due_at);

-- Idempotency of the changing ops other than ticket.submit, whose keys stand in tickets.
CREATE TABLE keys (
    digest  bytea  PRIMARY KEY,                        -- 16 bytes over client and key
    content bytea  NOT NULL,                           -- 16 bytes over op and checked request
    request bigint NOT NULL,                           -- random, by the request that wrote it: tells a repeat from a duplicate
    at      bigint NOT NULL,
    ticket  bigint,
    version integer,                                   -- the answer of a change of a ticket; else in answer
    answer  bytea                                      -- body of the answer, encoded
);
CREATE INDEX keys_at ON keys (at);

-- What is to be told. Written with the change itself; moved by notifiers.
CREATE TABLE outbox (
    ticket      bigint   NOT NULL,                     -- 0: not about a ticket
    version     integer  NOT NULL,
    generation  integer  NOT NULL DEFAULT 0,
    audience    smallint NOT NULL,                     -- enum desk_audience
    state       smallint NOT NULL DEFAULT 0,           -- 0 pending, 1 leased, 2 told (has deliveries), 3 suppressed, 4 merged, 5 cancelled, 6 held
    created_at  bigint   NOT NULL,
    lease_until bigint,
    token       bigint,
    kind        text     NOT NULL,                     -- received, triaged, update, waiting, …: a template's name
    reason      text,
    alert       bigint,                                -- alerts.id
    body        bytea,                                 -- map for the template
    PRIMARY KEY (ticket, version, audience, kind, generation)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX outbox_pending ON outbox (created_at) WHERE state < 2;

-- One message to one recipient over one channel.
CREATE TABLE deliveries (
    id          bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket      bigint   NOT NULL,
    version     integer  NOT NULL,
    generation  integer  NOT NULL,
    audience    smallint NOT NULL,
    state       smallint NOT NULL DEFAULT 0,           -- 0 pending, 1 leased, 2 sent, 3 delivered, 4 failed, 5 dead, 6 suppressed, 7 merged, 8 cancelled, 9 held
    attempts    integer  NOT NULL DEFAULT 0,
    created_at  bigint   NOT NULL,
    next_at     bigint   NOT NULL,
    lease_until bigint,
    token       bigint,
    ended_at    bigint,
    kind        text     NOT NULL,
    channel     text     NOT NULL,                     -- email, …
    recipient   text     NOT NULL,                     -- for people: a name, or the address
    address     text     NOT NULL,
    message_id  text,
    reason      text,
    reply       text,                                  -- the other side's last words, at most 1 KiB
    rendered    bytea,                                 -- what was rendered at the first attempt; retries send the same bytes
    UNIQUE (ticket, version, audience, kind, generation, channel, address)
) WITH (fillfactor = 70);
CREATE INDEX deliveries_pending ON deliveries (next_at) WHERE state < 2;

-- Each attempt: committed as started before the first byte, then its result. Started without a result: unknown.
CREATE TABLE attempts (
    delivery   bigint  NOT NULL,
    n          integer NOT NULL,
    started_at bigint  NOT NULL,
    ended_at   bigint,
    notifier   text    NOT NULL,
    result     text,                                   -- delivered, temporary, permanent, unknown
    reply      text,
    PRIMARY KEY (delivery, n)
);

-- One open alert per cause.
CREATE TABLE alerts (
    id          bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cause       text     NOT NULL,
    ticket      bigint,
    kind        text     NOT NULL,
    priority    smallint NOT NULL,
    state       smallint NOT NULL DEFAULT 0,           -- 0 open, 1 acknowledged, 2 resolved
    generation  integer  NOT NULL DEFAULT 1,
    opened_at   bigint   NOT NULL,
    acked_at    bigint,
    acked_by    text,
    resolved_at bigint,
    body        text     NOT NULL
);
CREATE UNIQUE INDEX alerts_open ON alerts (cause) WHERE state < 2;
CREATE INDEX alerts_ticket ON alerts (ticket) WHERE ticket IS NOT NULL;

-- One row an epoch: a broker's session with this database.
CREATE TABLE brokers (
    epoch         bigint   PRIMARY KEY,                -- random, 63 bits
    slot          smallint NOT NULL,
    name          text     NOT NULL,
    pid           integer  NOT NULL,                   -- of the writer's backend
    backend_start timestamptz NOT NULL,
    registered_at bigint   NOT NULL,
    lease_until   bigint   NOT NULL,
    mark          bigint   NOT NULL,                   -- the oldest id of it that may have no desk row
    first_id      bigint   NOT NULL,
    ids_until     bigint   NOT NULL,                   -- second (TRACKING_EPOCH_S) until which it may give ids
    dead          boolean  NOT NULL DEFAULT false,     -- final
    settled       boolean  NOT NULL DEFAULT false      -- dead, and nothing of it is left
);
CREATE UNIQUE INDEX brokers_slot ON brokers (slot) WHERE NOT settled;

CREATE SEQUENCE customer_rev;
CREATE TABLE customers (
    id         text   PRIMARY KEY,
    rev        bigint NOT NULL DEFAULT nextval('customer_rev'),
    updated_at bigint NOT NULL,
    name       text   NOT NULL,
    package    text   NOT NULL,
    record     bytea  NOT NULL                         -- the whole record, as given
);

CREATE TABLE dead_letters (
    ticket   bigint   PRIMARY KEY,
    at       bigint   NOT NULL,
    attempt  integer  NOT NULL,
    failures smallint NOT NULL,
    code     text     NOT NULL,
    message  text     NOT NULL,
    worker   text
);

-- The company's process: each version ever applied, whole, by hash; the last row of the log is current.
CREATE TABLE processes (
    hash     text   PRIMARY KEY,
    files    bytea  NOT NULL,
    first_at bigint NOT NULL
);
CREATE TABLE process_log (
    n       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash    text   NOT NULL REFERENCES processes,
    at      bigint NOT NULL,
    actor   text   NOT NULL,
    role    text   NOT NULL,
    comment text   NOT NULL
);

-- For people in psql.
CREATE VIEW ticket_overview AS
    SELECT t.id, to_timestamp(t.posted_at / 1e6) AS posted, t.customer, t.package, t.title,
           coalesce((ARRAY['new', 'triaged', 'in_progress', 'waiting_customer', 'waiting_vendor', 'resolved', 'closed', 'reopened'])[d.state + 1], 'new') AS state,
           d.priority, d.assignee, d.queue, coalesce(d.version, 1) AS version, to_timestamp(d.wake_at / 1e6) AS wakes,
           convert_from(t.problem, 'UTF8') AS problem
      FROM tickets t LEFT JOIN desk d ON d.ticket = t.id;
