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
GRANT SELECT, INSERT, UPDATE, DELETE ON realtime.open_minutes TO ecom_stream;
GRANT SELECT ON realtime.open_minutes TO ecom_reader;

COMMENT ON TABLE realtime.open_minutes IS 'What Spark has counted so far of minutes that are not closed.';
COMMENT ON COLUMN realtime.open_minutes.window_start IS 'Where the minute begins.';
COMMENT ON COLUMN realtime.open_minutes.category IS 'The category that the events named.';
COMMENT ON COLUMN realtime.open_minutes.currency IS 'ISO 4217 code of the currency of the revenue.';
COMMENT ON COLUMN realtime.open_minutes.revenue IS 'Sum of the revenue, in `currency`.';
COMMENT ON COLUMN realtime.open_minutes.orders IS 'Orders with a line of this category and currency in this minute.';
COMMENT ON COLUMN realtime.open_minutes.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.open_minutes.units IS 'Sum of the quantities.';
