-- Spark tells what each micro-batch adds to a minute. What it has counted of a minute that is still open is kept here, beside the minutes
-- that people look at: those may hold more, from before a query began anew.
CREATE TABLE realtime.open_minutes (
    window_start timestamptz NOT NULL,
    category     text NOT NULL,
    currency     text NOT NULL,
    revenue      numeric(20, 4) NOT NULL,
    orders       bigint NOT NULL,
    lines        bigint NOT NULL,
    units        bigint NOT NULL,
    PRIMARY KEY (window_start, category, currency)
);
CREATE TABLE realtime.open_orders (
    window_start timestamptz NOT NULL,
    category     text NOT NULL,
    currency     text NOT NULL,
    batch_id     bigint NOT NULL,
    ids          bigint[] NOT NULL,
    PRIMARY KEY (window_start, category, currency, batch_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON realtime.open_minutes, realtime.open_orders TO ecom_stream;
GRANT SELECT ON realtime.open_minutes, realtime.open_orders TO ecom_reader;

COMMENT ON TABLE realtime.open_minutes IS 'What Spark has counted so far of minutes that are not closed.';
COMMENT ON COLUMN realtime.open_minutes.window_start IS 'Where the minute begins.';
COMMENT ON COLUMN realtime.open_minutes.category IS 'The category that the events named.';
COMMENT ON COLUMN realtime.open_minutes.currency IS 'ISO 4217 code of the currency of the revenue.';
COMMENT ON COLUMN realtime.open_minutes.revenue IS 'Sum of the revenue, in `currency`.';
COMMENT ON COLUMN realtime.open_minutes.orders IS 'Orders; one with lines in two seconds of the minute counts twice until the minute is closed.';
COMMENT ON COLUMN realtime.open_minutes.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.open_minutes.units IS 'Sum of the quantities.';
COMMENT ON TABLE realtime.open_orders IS 'Orders that were counted in minutes that are not closed.';
COMMENT ON COLUMN realtime.open_orders.window_start IS 'Where the minute begins.';
COMMENT ON COLUMN realtime.open_orders.category IS 'The category that the events named.';
COMMENT ON COLUMN realtime.open_orders.currency IS 'ISO 4217 code of the currency.';
COMMENT ON COLUMN realtime.open_orders.batch_id IS 'The micro-batch that counted them.';
COMMENT ON COLUMN realtime.open_orders.ids IS 'A 64-bit hash of each order id.';
