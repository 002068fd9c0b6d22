CREATE TABLE IF NOT EXISTS lake.returns (
    order_id VARCHAR NOT NULL, product_id VARCHAR NOT NULL, kind VARCHAR NOT NULL, return_id VARCHAR NOT NULL, quantity INTEGER NOT NULL,
    reason VARCHAR NOT NULL, returned_at TIMESTAMPTZ NOT NULL, load_xid BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE lake.returns IS 'One row per cancellation or return of an order line, or of some of its units.';
COMMENT ON COLUMN lake.returns.order_id IS 'The order.';
COMMENT ON COLUMN lake.returns.product_id IS 'The product''s id.';
COMMENT ON COLUMN lake.returns.kind IS 'order_cancelled or order_returned.';
COMMENT ON COLUMN lake.returns.return_id IS 'Which one of its line and kind.';
COMMENT ON COLUMN lake.returns.quantity IS 'Units taken back.';
COMMENT ON COLUMN lake.returns.reason IS 'As the event names it.';
COMMENT ON COLUMN lake.returns.returned_at IS 'Event time.';
COMMENT ON COLUMN lake.returns.load_xid IS 'The place of the loading transaction in the order of loads.';
COMMENT ON COLUMN lake.returns.loaded_at IS 'When the transaction that loaded it began.';
