-- What a broker does in several commits is known to the others, so that they end it when that broker is gone.

-- customer.put with open_tickets: open tickets of the customer that are still to get the package. The row goes when none is left.
CREATE TABLE moves (
    customer text     PRIMARY KEY,
    package  text     NOT NULL,
    epoch    bigint   NOT NULL,                        -- of the broker that does it
    role     smallint NOT NULL,                        -- who asked for it
    actor    text     NOT NULL
);

-- The ticket that a correlation's row was kept for is posted, in this transaction. When another submit was given the row meanwhile
-- the posting must not be: there would be two tickets. Fails as a row that another session holds does; its client repeats.
CREATE FUNCTION docket_correlated(of_customer text, of_correlation text, by_token bigint, posted bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM tickets WHERE id = posted) THEN -- refused, or there already under another number
        DELETE FROM correlations WHERE customer = of_customer AND correlation = of_correlation AND token = by_token AND ticket = 0;
        RETURN;
    END IF;
    UPDATE correlations SET ticket = posted
     WHERE customer = of_customer AND correlation = of_correlation AND token = by_token AND ticket IN (0, posted);
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '55P03', MESSAGE = 'another submit with this correlation was given its row';
    END IF;
END $$;
