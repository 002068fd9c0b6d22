CREATE TABLE IF NOT EXISTS lake.sales (
    order_id VARCHAR NOT NULL, user_id VARCHAR, product_id VARCHAR, product_title VARCHAR, category VARCHAR, country VARCHAR,
    ordered_at TIMESTAMPTZ NOT NULL, day DATE NOT NULL, hour UTINYINT NOT NULL, quantity INTEGER NOT NULL, price DECIMAL(12, 4) NOT NULL,
    revenue DECIMAL(18, 4) NOT NULL, currency VARCHAR NOT NULL, list_price DECIMAL(12, 4), load_xid BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE lake.sales IS 'One row per order line, with the names that customer and product had when it was loaded.';
COMMENT ON COLUMN lake.sales.order_id IS 'The order; with product_id it names the line.';
COMMENT ON COLUMN lake.sales.user_id IS 'The customer''s id.';
COMMENT ON COLUMN lake.sales.product_id IS 'The product''s id.';
COMMENT ON COLUMN lake.sales.product_title IS 'The product''s title as of loading; now: lake.products.';
COMMENT ON COLUMN lake.sales.category IS 'The category that the event named.';
COMMENT ON COLUMN lake.sales.country IS 'The customer''s country as of loading; null where none was known.';
COMMENT ON COLUMN lake.sales.ordered_at IS 'Event time.';
COMMENT ON COLUMN lake.sales.day IS 'UTC day of ordered_at: to group by, many times as quick as by date_trunc.';
COMMENT ON COLUMN lake.sales.hour IS 'UTC hour of ordered_at, 0 to 23.';
COMMENT ON COLUMN lake.sales.quantity IS 'Units sold.';
COMMENT ON COLUMN lake.sales.price IS 'Price of one unit, in `currency`.';
COMMENT ON COLUMN lake.sales.revenue IS 'price x quantity, in `currency`. Returns are not taken off.';
COMMENT ON COLUMN lake.sales.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN lake.sales.list_price IS 'Price of one unit before any discount, in `currency`; null where the event named none.';
COMMENT ON COLUMN lake.sales.load_xid IS 'The place of the loading transaction in the order of loads.';
COMMENT ON COLUMN lake.sales.loaded_at IS 'When the transaction that loaded it began.';
