-- Each known profile of a customer, valid from its event time: what has the newest is how the customer is now.
CREATE TABLE IF NOT EXISTS lake.customers (
    user_id VARCHAR NOT NULL, valid_from TIMESTAMPTZ NOT NULL, kind VARCHAR NOT NULL, name VARCHAR, email VARCHAR, city VARCHAR,
    country VARCHAR, load_xid BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL
)
