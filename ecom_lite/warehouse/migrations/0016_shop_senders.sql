-- One sender for each shop: who holds its lock, or was the last that did.
CREATE TABLE ops.shop_senders (
    shop    text PRIMARY KEY,
    token   uuid NOT NULL,
    host    text NOT NULL,
    pid     integer NOT NULL,
    since   timestamptz NOT NULL DEFAULT now(),
    active  boolean NOT NULL DEFAULT true
);
GRANT SELECT, INSERT, UPDATE ON ops.shop_senders TO ecom_producer;

COMMENT ON TABLE ops.shop_senders IS 'Who sends for a shop, or did so last. Whether it still does is said by an advisory lock, not by this row.';
COMMENT ON COLUMN ops.shop_senders.shop IS 'Name of the shop: seed-<seed>.';
COMMENT ON COLUMN ops.shop_senders.token IS 'Of the producer''s life: a new one for each start.';
COMMENT ON COLUMN ops.shop_senders.host IS 'Name of the machine that it runs on.';
COMMENT ON COLUMN ops.shop_senders.pid IS 'Its process there.';
COMMENT ON COLUMN ops.shop_senders.since IS 'When it took the shop over.';
COMMENT ON COLUMN ops.shop_senders.active IS 'False once it has ended in good order.';
