-- Notifiers that share a relay's rate: each says once a second that it is there.
CREATE TABLE relay_senders (
    run     bigint PRIMARY KEY,                        -- by chance, another with each start
    relay   text   NOT NULL,
    beat_at bigint NOT NULL
) WITH (fillfactor = 50);

-- Pages of P1 that wait: found also behind a storm of others that the relay gets no faster.
CREATE INDEX deliveries_urgent ON deliveries (channel, next_at) WHERE state = 0 AND docket_is_p1(kind, alert, priority);
