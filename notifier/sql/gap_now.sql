-- The database's clock.
SELECT docket_now()
