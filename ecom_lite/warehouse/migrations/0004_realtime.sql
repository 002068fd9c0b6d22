-- What Spark writes: per-minute figures by event time, keyed by window, so that a repeated micro-batch changes nothing.
CREATE TABLE realtime.sales_per_minute (
    window_start  timestamptz NOT NULL,
    category      text NOT NULL,
    revenue       numeric(16, 2) NOT NULL,
    orders        bigint NOT NULL,       -- distinct orders with a line of this category in this minute
    lines         bigint NOT NULL,
    units         bigint NOT NULL,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (window_start, category)
);

CREATE TABLE realtime.stream_progress (  -- one row per micro-batch; the newest few days are kept
    query         text NOT NULL,
    batch_id      bigint NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    watermark     timestamptz,           -- windows that end at or before it are closed
    input_rows    bigint NOT NULL,
    late_rows     bigint NOT NULL DEFAULT 0,       -- dropped: older than the watermark
    duplicate_rows bigint NOT NULL DEFAULT 0,      -- dropped: (order_id, product_id) seen before
    duration_ms   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (query, batch_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA realtime TO ecom_stream;
GRANT SELECT ON ALL TABLES IN SCHEMA realtime TO ecom_reader;

CREATE TABLE realtime.light_progress (   -- without Spark (`--light`) plain SQL keeps sales_per_minute from the facts
    one_row       boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    load_xid_below bigint NOT NULL       -- facts below it are in sales_per_minute
);
GRANT SELECT, INSERT, UPDATE, DELETE ON realtime.light_progress TO ecom_stream;
GRANT SELECT ON ALL TABLES IN SCHEMA warehouse TO ecom_stream;
