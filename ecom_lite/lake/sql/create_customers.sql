CREATE TABLE IF NOT EXISTS lake.customers (
    user_id VARCHAR NOT NULL, valid_from TIMESTAMPTZ NOT NULL, kind VARCHAR NOT NULL, name VARCHAR, email VARCHAR, city VARCHAR,
    country VARCHAR, load_xid BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE lake.customers IS 'Each known profile of a customer, valid from its event time until the next one''s.';
COMMENT ON COLUMN lake.customers.user_id IS 'The customer''s id.';
COMMENT ON COLUMN lake.customers.valid_from IS 'Event time of the profile.';
COMMENT ON COLUMN lake.customers.kind IS 'user_registered or user_updated.';
COMMENT ON COLUMN lake.customers.name IS 'Name; null where the event had none.';
COMMENT ON COLUMN lake.customers.email IS 'Email; null where the event had none.';
COMMENT ON COLUMN lake.customers.city IS 'City; null where the event had none.';
COMMENT ON COLUMN lake.customers.country IS 'Country; null where the event had none.';
COMMENT ON COLUMN lake.customers.load_xid IS 'The place of the loading transaction in the order of loads.';
COMMENT ON COLUMN lake.customers.loaded_at IS 'When the transaction that loaded it began.';
