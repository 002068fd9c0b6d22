CREATE TABLE IF NOT EXISTS lake.order_versions (
    order_id VARCHAR NOT NULL, user_id VARCHAR, country VARCHAR, ordered_at TIMESTAMPTZ NOT NULL, day DATE NOT NULL, hour UTINYINT NOT NULL,
    lines BIGINT NOT NULL, units BIGINT NOT NULL, revenue DECIMAL(18, 4), currency VARCHAR, load_xid BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL,
    replaces BOOLEAN NOT NULL
);
COMMENT ON TABLE lake.order_versions IS 'One row per order, with the sums of its lines.';
COMMENT ON COLUMN lake.order_versions.order_id IS 'The order.';
COMMENT ON COLUMN lake.order_versions.user_id IS 'The customer''s id; where lines name several, the first of these texts.';
COMMENT ON COLUMN lake.order_versions.country IS 'The customer''s country as of loading; null where none was known.';
COMMENT ON COLUMN lake.order_versions.ordered_at IS 'Event time of its first line.';
COMMENT ON COLUMN lake.order_versions.day IS 'UTC day of ordered_at.';
COMMENT ON COLUMN lake.order_versions.hour IS 'UTC hour of ordered_at, 0 to 23.';
COMMENT ON COLUMN lake.order_versions.lines IS 'Order lines.';
COMMENT ON COLUMN lake.order_versions.units IS 'Sum of the quantities.';
COMMENT ON COLUMN lake.order_versions.revenue IS 'What it is worth, in `currency`. Returns are not taken off. Null where its lines have several.';
COMMENT ON COLUMN lake.order_versions.currency IS 'ISO 4217 code; null where its lines have several.';
COMMENT ON COLUMN lake.order_versions.load_xid IS 'The place of the newest of its loading transactions in the order of loads.';
COMMENT ON COLUMN lake.order_versions.loaded_at IS 'When that transaction began.';
COMMENT ON COLUMN lake.order_versions.replaces IS 'Whether lines of the order were there before: then the versions with a lower load_xid no longer hold.';
