-- A broker that ends in order: its epoch is over at once, so that the others need not wait for the lease.
--  $1 epoch
UPDATE brokers SET dead = true, lease_until = least(lease_until, docket_now()) WHERE epoch = $1::bigint
