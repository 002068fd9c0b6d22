-- By minute of event time, whatever counts them: sales by country, orders in all, returns; what moved from the hour before to this one; and of
-- each row whether its minute is closed. Spark knows no country, and a return is no order: these come from the facts by load order, in the pass
-- that keeps the other sums (0030, 0038), with and without Spark.
ALTER TABLE realtime.rolled ADD COLUMN watermark timestamptz;
ALTER TABLE realtime.light_progress ADD COLUMN watermark timestamptz;
CREATE INDEX stream_progress_watermark ON realtime.stream_progress (watermark);  -- the highest is asked for with every look at the minutes
ALTER TABLE realtime.recent_sales ADD COLUMN minute_orders bigint NOT NULL DEFAULT 0;

CREATE TABLE realtime.minutes_in_all (
    window_start  timestamptz PRIMARY KEY,
    lines         bigint NOT NULL,
    orders        bigint NOT NULL,
    units         bigint NOT NULL,
    revenue       numeric(24, 4) NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE realtime.minutes_of_returns (
    window_start  timestamptz NOT NULL,
    kind          text NOT NULL,
    lines         bigint NOT NULL,
    units         bigint NOT NULL,
    amount        numeric(24, 4) NOT NULL,
    PRIMARY KEY (window_start, kind)
) WITH (fillfactor = 70);
-- A return may come before its order line, whose price it needs: rarely, so this stays small.
CREATE TABLE realtime.returns_waiting (
    order_id      text NOT NULL,
    product_id    text NOT NULL,
    kind          text NOT NULL,
    return_id     text NOT NULL,
    window_start  timestamptz NOT NULL,
    units         bigint NOT NULL,
    PRIMARY KEY (order_id, product_id, kind, return_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON realtime.minutes_in_all, realtime.minutes_of_returns, realtime.returns_waiting TO ecom_stream;
GRANT SELECT ON realtime.minutes_in_all, realtime.minutes_of_returns, realtime.returns_waiting TO ecom_reader;

-- A pass takes in the returns since the last one.
CREATE INDEX fact_returns_load_xid ON warehouse.fact_returns USING brin (load_xid) WITH (pages_per_range = 16);
CREATE OR REPLACE FUNCTION ops.summarise_facts() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS
    'SELECT brin_summarize_new_values(''warehouse.fact_sales_load_xid''), brin_summarize_new_values(''warehouse.fact_returns_load_xid'')';

CREATE VIEW realtime.orders_per_minute AS
SELECT m.window_start, m.orders, m.lines, m.units, m.revenue,
       coalesce(m.window_start + interval '1 minute' <= (SELECT r.watermark FROM realtime.rolled r), false) AS is_closed
FROM realtime.minutes_in_all m;

CREATE VIEW realtime.country_per_minute AS
SELECT s.begins AS window_start, s.country, sum(s.revenue) AS revenue, sum(s.minute_orders)::bigint AS orders, sum(s.lines)::bigint AS lines,
       sum(s.units)::bigint AS units,
       coalesce(s.begins + interval '1 minute' <= (SELECT r.watermark FROM realtime.rolled r), false) AS is_closed
FROM realtime.recent_sales s
WHERE s.minutes = 1
GROUP BY s.begins, s.country;

CREATE VIEW realtime.returns_per_minute AS
SELECT m.window_start, m.kind, m.lines, m.units, m.amount,
       coalesce(m.window_start + interval '1 minute' <= (SELECT r.watermark FROM realtime.rolled r), false) AS is_closed
FROM realtime.minutes_of_returns m;

-- Spark closes a minute by its own watermark. Without Spark the minutes are those of the facts, and so is the watermark.
CREATE OR REPLACE VIEW realtime.sales_per_minute AS
SELECT m.window_start, m.category,
       sum(CASE WHEN m.currency = (SELECT r.currency FROM ops.reporting_currency r) THEN m.revenue
                ELSE round(m.revenue * (
                         SELECT d.rate FROM warehouse.rates d
                         WHERE d.currency = m.currency AND d.reporting = (SELECT r.currency FROM ops.reporting_currency r)
                           AND d.day <= (m.window_start AT TIME ZONE 'UTC')::date
                         ORDER BY d.day DESC LIMIT 1
                     ), (SELECT r.decimals FROM ops.reporting_currency r))
           END)::numeric(24, 4) AS revenue,
       sum(m.orders)::bigint AS orders, sum(m.lines)::bigint AS lines, sum(m.units)::bigint AS units, max(m.updated_at) AS updated_at,
       coalesce(m.window_start + interval '1 minute' <= (
           SELECT CASE WHEN EXISTS (SELECT FROM realtime.light_progress) THEN (SELECT l.watermark FROM realtime.light_progress l)
                       ELSE (SELECT max(p.watermark) FROM realtime.stream_progress p) END
       ), false) AS is_closed
FROM realtime.minutes_by_currency m
GROUP BY m.window_start, m.category;

-- This hour, by the shop's clock, up to the newest closed minute, against the same part of the hour before.
CREATE VIEW realtime.movers AS
WITH closed AS (
    SELECT date_trunc('minute', r.watermark) AS until, date_trunc('hour', date_trunc('minute', r.watermark) - interval '1 minute', c.time_zone) AS begins
    FROM realtime.rolled r CROSS JOIN ops.calendar c
), sold AS (
    SELECT s.category_key, s.country, s.begins >= (SELECT begins FROM closed) AS is_now, sum(s.revenue) AS revenue
    FROM realtime.recent_sales s
    WHERE s.minutes = 1 AND s.begins >= (SELECT begins - interval '1 hour' FROM closed) AND s.begins < (SELECT until FROM closed)
        AND (s.begins >= (SELECT begins FROM closed) OR s.begins < (SELECT until - interval '1 hour' FROM closed))
    GROUP BY 1, 2, 3
), named AS (
    SELECT CASE WHEN grouping(c.category) = 0 THEN 'category' ELSE 'country' END AS kind, coalesce(c.category, s.country) AS name,
           coalesce(sum(s.revenue) FILTER (WHERE s.is_now), 0) AS revenue, coalesce(sum(s.revenue) FILTER (WHERE NOT s.is_now), 0) AS before
    FROM sold s JOIN warehouse.dim_category c USING (category_key)
    GROUP BY GROUPING SETS ((c.category), (s.country))
)
SELECT n.kind, n.name, closed.begins, closed.until, n.revenue, n.before, n.revenue - n.before AS moved,
       round((n.revenue - n.before) / nullif(n.before, 0), 4) AS moved_share
FROM named n CROSS JOIN closed;

GRANT SELECT ON realtime.orders_per_minute, realtime.country_per_minute, realtime.returns_per_minute, realtime.sales_per_minute, realtime.movers
    TO ecom_stream, ecom_reader;

COMMENT ON COLUMN realtime.rolled.watermark IS 'Minutes that end at or before it are closed: the newest event time below the cut, less `spark.watermark_s`. It never goes back; what comes later still counts.';
COMMENT ON COLUMN realtime.light_progress.watermark IS 'Minutes that end at or before it are closed: as `rolled` had it when they were written.';
COMMENT ON COLUMN realtime.recent_sales.minute_orders IS 'Orders whose first line of its minute (in the load order) is among them: an order with lines in two minutes counts in both.';
COMMENT ON TABLE realtime.minutes_in_all IS 'The sums below the cut (`rolled`) by minute of event time. `realtime.orders_per_minute` reads them.';
COMMENT ON COLUMN realtime.minutes_in_all.window_start IS 'Where the minute begins.';
COMMENT ON COLUMN realtime.minutes_in_all.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.minutes_in_all.orders IS 'Distinct orders with a line in this minute.';
COMMENT ON COLUMN realtime.minutes_in_all.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.minutes_in_all.revenue IS 'Sum of the revenue, in the reporting currency.';
COMMENT ON TABLE realtime.minutes_of_returns IS 'Cancellations and returns below the cut (`rolled`) by minute of event time. `realtime.returns_per_minute` reads them.';
COMMENT ON COLUMN realtime.minutes_of_returns.window_start IS 'Where the minute begins.';
COMMENT ON COLUMN realtime.minutes_of_returns.kind IS 'order_cancelled or order_returned.';
COMMENT ON COLUMN realtime.minutes_of_returns.lines IS 'Cancellations or returns of order lines.';
COMMENT ON COLUMN realtime.minutes_of_returns.units IS 'Sum of their quantities.';
COMMENT ON COLUMN realtime.minutes_of_returns.amount IS 'What these units had cost, in the reporting currency.';
COMMENT ON TABLE realtime.returns_waiting IS 'Cancellations and returns below the cut whose order line is not: their amount is added when it comes.';
COMMENT ON COLUMN realtime.returns_waiting.order_id IS 'The order.';
COMMENT ON COLUMN realtime.returns_waiting.product_id IS 'The product; with order_id it names the line.';
COMMENT ON COLUMN realtime.returns_waiting.kind IS 'order_cancelled or order_returned.';
COMMENT ON COLUMN realtime.returns_waiting.return_id IS 'As in warehouse.fact_returns.';
COMMENT ON COLUMN realtime.returns_waiting.window_start IS 'The minute of the return.';
COMMENT ON COLUMN realtime.returns_waiting.units IS 'Units taken back.';
COMMENT ON VIEW realtime.orders_per_minute IS 'One row per minute of event time with sales, from the facts, of a second ago, in the reporting currency.';
COMMENT ON COLUMN realtime.orders_per_minute.window_start IS 'Where the minute begins; it ends 60 s later.';
COMMENT ON COLUMN realtime.orders_per_minute.orders IS 'Distinct orders with a line in this minute.';
COMMENT ON COLUMN realtime.orders_per_minute.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.orders_per_minute.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.orders_per_minute.revenue IS 'Sum of the revenue, in the reporting currency; what has no rate adds nothing.';
COMMENT ON COLUMN realtime.orders_per_minute.is_closed IS 'Whether the minute ended `spark.watermark_s` or more before the newest event. A later event still counts in it.';
COMMENT ON VIEW realtime.country_per_minute IS 'One row per minute of event time and country with sales, of the last nine days, from the facts, of a second ago, in the reporting currency.';
COMMENT ON COLUMN realtime.country_per_minute.window_start IS 'Where the minute begins; it ends 60 s later.';
COMMENT ON COLUMN realtime.country_per_minute.country IS 'Country of the customer, by the profile when the line was taken in; (unknown) where it named none.';
COMMENT ON COLUMN realtime.country_per_minute.revenue IS 'Sum of the revenue, in the reporting currency; what has no rate adds nothing.';
COMMENT ON COLUMN realtime.country_per_minute.orders IS 'Distinct orders with a line in this minute; an order counts in one country.';
COMMENT ON COLUMN realtime.country_per_minute.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.country_per_minute.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.country_per_minute.is_closed IS 'As in orders_per_minute.';
COMMENT ON VIEW realtime.returns_per_minute IS 'One row per minute of event time and kind with cancellations or returns, from the facts, of a second ago.';
COMMENT ON COLUMN realtime.returns_per_minute.window_start IS 'Where the minute begins; it ends 60 s later.';
COMMENT ON COLUMN realtime.returns_per_minute.kind IS 'order_cancelled or order_returned.';
COMMENT ON COLUMN realtime.returns_per_minute.lines IS 'Cancellations or returns of order lines.';
COMMENT ON COLUMN realtime.returns_per_minute.units IS 'Sum of their quantities.';
COMMENT ON COLUMN realtime.returns_per_minute.amount IS 'What these units had cost, in the reporting currency; an order line that is not known yet adds it when it comes.';
COMMENT ON COLUMN realtime.returns_per_minute.is_closed IS 'As in orders_per_minute.';
COMMENT ON COLUMN realtime.sales_per_minute.is_closed IS 'Whether the stream''s watermark has reached the end of the minute: Spark changes it no more. Without Spark: whether it ended `spark.watermark_s` or more before the newest event; a later event still counts.';
COMMENT ON VIEW realtime.movers IS 'Revenue of this hour (of the newest closed minute, by the shop''s clock) up to that minute, against the same part of the hour before, by category and by country. `realtime.movers(10)` has products.';
COMMENT ON COLUMN realtime.movers.kind IS 'category or country.';
COMMENT ON COLUMN realtime.movers.name IS 'The category, or the country.';
COMMENT ON COLUMN realtime.movers.begins IS 'Where this hour begins.';
COMMENT ON COLUMN realtime.movers.until IS 'Where its newest closed minute ends; the hour before is taken up to one hour before that.';
COMMENT ON COLUMN realtime.movers.revenue IS 'Revenue from `begins` to `until`, in the reporting currency.';
COMMENT ON COLUMN realtime.movers.before IS 'Revenue of the same minutes an hour earlier.';
COMMENT ON COLUMN realtime.movers.moved IS 'revenue - before.';
COMMENT ON COLUMN realtime.movers.moved_share IS 'moved / before, as 0.25 for a quarter more; null where nothing was sold before.';
