-- Who keeps a correlation's row for the ticket that is being posted: its request.
ALTER TABLE correlations ADD COLUMN token bigint NOT NULL DEFAULT 0;

-- Steps that a customer agreed to, open until somebody says that they are done.
CREATE TABLE tasks (
    ticket       bigint  NOT NULL,
    version      integer NOT NULL,                     -- of the agreement
    of_version   integer NOT NULL,                     -- of the event that proposed it
    done_version integer,
    PRIMARY KEY (ticket, version)
);
