-- Minutes are counted in the currencies of the orders: Spark knows no rates, and a rate may come later. `sales_per_minute` shows them in
-- the reporting currency, by the rate of the minute's day. Minutes from before are in what facts from before are in.
ALTER TABLE realtime.sales_per_minute RENAME TO minutes_by_currency;
DO $$
DECLARE
    minutes text;
    currency text := coalesce(nullif(current_setting('ecom_lite.default_currency', true), ''), 'USD');
BEGIN
    FOREACH minutes IN ARRAY ARRAY['realtime.minutes_by_currency', 'realtime.minutes_before'] LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN currency text NOT NULL DEFAULT %L', minutes, currency);
        EXECUTE format('ALTER TABLE %s ALTER COLUMN currency DROP DEFAULT, ALTER COLUMN revenue TYPE numeric(20, 4)', minutes);
    END LOOP;
END $$;
ALTER TABLE realtime.minutes_by_currency
    DROP CONSTRAINT sales_per_minute_pkey, ADD CONSTRAINT minutes_by_currency_pkey PRIMARY KEY (window_start, category, currency);
ALTER TABLE realtime.minutes_before
    DROP CONSTRAINT minutes_before_pkey, ADD CONSTRAINT minutes_before_pkey PRIMARY KEY (window_start, category, currency);

CREATE VIEW realtime.sales_per_minute AS
SELECT m.window_start, m.category,
       sum(CASE WHEN m.currency = (SELECT r.currency FROM ops.reporting_currency r) THEN m.revenue
                ELSE round(m.revenue * (
                         SELECT d.rate FROM warehouse.rates d
                         WHERE d.currency = m.currency AND d.reporting = (SELECT r.currency FROM ops.reporting_currency r)
                           AND d.day <= (m.window_start AT TIME ZONE 'UTC')::date
                         ORDER BY d.day DESC LIMIT 1
                     ), (SELECT r.decimals FROM ops.reporting_currency r))
           END)::numeric(24, 4) AS revenue,
       sum(m.orders)::bigint AS orders, sum(m.lines)::bigint AS lines, sum(m.units)::bigint AS units, max(m.updated_at) AS updated_at
FROM realtime.minutes_by_currency m
GROUP BY m.window_start, m.category;
GRANT SELECT ON realtime.sales_per_minute TO ecom_stream, ecom_reader;

COMMENT ON TABLE realtime.minutes_by_currency IS 'One row per minute of event time, category and currency.';
COMMENT ON COLUMN realtime.minutes_by_currency.currency IS 'ISO 4217 code of the currency of the revenue.';
COMMENT ON COLUMN realtime.minutes_by_currency.revenue IS 'Sum of the revenue, in `currency`.';
COMMENT ON COLUMN realtime.minutes_by_currency.orders IS 'Distinct orders with a line of this category and currency in this minute.';
COMMENT ON COLUMN realtime.minutes_before.currency IS 'As in minutes_by_currency.';
COMMENT ON COLUMN realtime.light_progress.load_xid_below IS 'Facts with a load_xid below it are in the minutes.';
COMMENT ON TABLE realtime.light_progress IS 'How far plain SQL has brought the minutes, in a run without Spark: no row or one.';
COMMENT ON VIEW realtime.sales_per_minute IS 'One row per minute of event time and category, in the reporting currency.';
COMMENT ON COLUMN realtime.sales_per_minute.window_start IS 'Where the minute begins; it ends 60 s later.';
COMMENT ON COLUMN realtime.sales_per_minute.category IS 'The category that the events named.';
COMMENT ON COLUMN realtime.sales_per_minute.revenue IS 'Sum of the revenue in the reporting currency; null where it is all in currencies without a rate.';
COMMENT ON COLUMN realtime.sales_per_minute.orders IS 'Distinct orders with a line of this category in this minute.';
COMMENT ON COLUMN realtime.sales_per_minute.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.sales_per_minute.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.sales_per_minute.updated_at IS 'When it was last written.';
