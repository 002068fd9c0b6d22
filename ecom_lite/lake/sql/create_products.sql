-- Each title and category that a product was seen with, in the order of loads.
CREATE TABLE IF NOT EXISTS lake.products (
    product_id VARCHAR NOT NULL, product_title VARCHAR NOT NULL, category VARCHAR NOT NULL, valid_from TIMESTAMPTZ NOT NULL,
    load_xid BIGINT NOT NULL
)
