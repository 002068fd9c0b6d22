CREATE TABLE IF NOT EXISTS lake.products (
    product_id VARCHAR NOT NULL, product_title VARCHAR NOT NULL, category VARCHAR NOT NULL, valid_from TIMESTAMPTZ NOT NULL,
    load_xid BIGINT NOT NULL
);
COMMENT ON TABLE lake.products IS 'Each title and category that a product was seen with, in the order of loads.';
COMMENT ON COLUMN lake.products.product_id IS 'The product''s id.';
COMMENT ON COLUMN lake.products.product_title IS 'Title.';
COMMENT ON COLUMN lake.products.category IS 'Newest category.';
COMMENT ON COLUMN lake.products.valid_from IS 'Event time of the line that described it so.';
COMMENT ON COLUMN lake.products.load_xid IS 'The load at which it was seen so.';
