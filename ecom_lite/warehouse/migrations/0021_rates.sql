-- Figures are in one currency, the reporting one: `migrate` and `run` write it here from the settings.
CREATE TABLE ops.reporting_currency (
    one_row       boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    currency      text NOT NULL,
    decimals      integer NOT NULL,
    since         timestamptz NOT NULL DEFAULT now()
);
INSERT INTO ops.reporting_currency (currency, decimals) VALUES ('USD', 2);

CREATE TABLE warehouse.rates (
    currency      text NOT NULL,
    reporting     text NOT NULL,
    day           date NOT NULL,
    rate          numeric(20, 12) NOT NULL CHECK (rate > 0),
    loaded_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (currency, reporting, day),
    CHECK (currency <> reporting)
);

-- The facts with their amounts in the reporting currency. Where that is what a fact is in, nothing is looked up: the sub-selects
-- without a row of f run once per query, the one for the rate only for facts in another currency, and only if its column is asked for.
CREATE VIEW warehouse.sales AS
SELECT f.order_id, f.product_key, f.user_key, f.category_key, f.date_key, f.ordered_at, f.quantity,
       (CASE WHEN f.currency = (SELECT r.currency FROM ops.reporting_currency r) THEN coalesce(f.exact_price, f.unit_price)
             ELSE round(coalesce(f.exact_price, f.unit_price) * (
                      SELECT d.rate FROM warehouse.rates d
                      WHERE d.currency = f.currency AND d.reporting = (SELECT r.currency FROM ops.reporting_currency r)
                        AND d.day <= (f.ordered_at AT TIME ZONE 'UTC')::date
                      ORDER BY d.day DESC LIMIT 1
                  ), (SELECT r.decimals FROM ops.reporting_currency r))
        END)::numeric(24, 4) AS unit_price,
       (CASE WHEN f.currency = (SELECT r.currency FROM ops.reporting_currency r) THEN coalesce(f.exact_price * f.quantity, f.revenue)
             ELSE round(coalesce(f.exact_price * f.quantity, f.revenue) * (
                      SELECT d.rate FROM warehouse.rates d
                      WHERE d.currency = f.currency AND d.reporting = (SELECT r.currency FROM ops.reporting_currency r)
                        AND d.day <= (f.ordered_at AT TIME ZONE 'UTC')::date
                      ORDER BY d.day DESC LIMIT 1
                  ), (SELECT r.decimals FROM ops.reporting_currency r))
        END)::numeric(24, 4) AS revenue,
       f.currency,
       coalesce(f.exact_price, f.unit_price)::numeric(12, 4) AS original_price,
       coalesce(f.exact_price * f.quantity, f.revenue)::numeric(18, 4) AS original_revenue,
       f.source_partition, f.source_offset, f.load_xid, f.loaded_at
FROM warehouse.fact_sales f;

CREATE OR REPLACE VIEW warehouse.sales_by_category AS
SELECT c.category, count(DISTINCT f.order_id) AS orders, count(*) AS lines, sum(f.quantity) AS units,
       round(sum(f.revenue), (SELECT greatest(r.decimals, 2) FROM ops.reporting_currency r)) AS revenue
FROM warehouse.sales f JOIN warehouse.dim_category c USING (category_key)
GROUP BY c.category;
CREATE OR REPLACE VIEW warehouse.sales_by_date AS
SELECT d.date, count(DISTINCT f.order_id) AS orders, count(*) AS lines, sum(f.quantity) AS units,
       round(sum(f.revenue), (SELECT greatest(r.decimals, 2) FROM ops.reporting_currency r)) AS revenue
FROM warehouse.sales f JOIN warehouse.dim_date d USING (date_key)
GROUP BY d.date;
CREATE OR REPLACE VIEW warehouse.top_products AS
SELECT p.product_id, p.product_title, c.category, sum(f.quantity) AS units,
       round(sum(f.revenue), (SELECT greatest(r.decimals, 2) FROM ops.reporting_currency r)) AS revenue,
       rank() OVER (ORDER BY sum(f.revenue) DESC NULLS LAST) AS revenue_rank
FROM warehouse.sales f
JOIN warehouse.dim_product p USING (product_key)
JOIN warehouse.dim_category c ON c.category_key = p.category_key
GROUP BY p.product_id, p.product_title, c.category;

GRANT SELECT ON warehouse.rates, warehouse.sales TO ecom_loader, ecom_stream, ecom_dbt, ecom_reader;
GRANT SELECT ON ops.reporting_currency TO ecom_loader, ecom_producer, ecom_stream, ecom_dbt, ecom_reader;
GRANT INSERT, UPDATE, DELETE ON warehouse.rates TO ecom_loader;

COMMENT ON TABLE ops.reporting_currency IS 'One row: the currency that figures are in, from the settings `currency.reporting` and `currency.default`.';
COMMENT ON COLUMN ops.reporting_currency.one_row IS 'Always true: there is one row.';
COMMENT ON COLUMN ops.reporting_currency.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN ops.reporting_currency.decimals IS 'How many decimals it has: converted amounts are rounded to them.';
COMMENT ON COLUMN ops.reporting_currency.since IS 'Since when figures are in it.';
COMMENT ON TABLE warehouse.rates IS 'What one unit of a currency was worth in the reporting currency, by day, as its owner has loaded it.';
COMMENT ON COLUMN warehouse.rates.currency IS 'ISO 4217 code of the currency that an amount is converted from.';
COMMENT ON COLUMN warehouse.rates.reporting IS 'ISO 4217 code of the currency that it leads to.';
COMMENT ON COLUMN warehouse.rates.day IS 'The first UTC day that it holds for: until the next one that has a rate.';
COMMENT ON COLUMN warehouse.rates.rate IS 'Units of the reporting currency for one unit of the currency.';
COMMENT ON COLUMN warehouse.rates.loaded_at IS 'When it was loaded, or corrected.';
COMMENT ON VIEW warehouse.sales IS 'The facts with their amounts in the reporting currency: by the newest rate on or before the UTC day of the event.';
COMMENT ON COLUMN warehouse.sales.order_id IS 'The order, as text; with product_key it names the line.';
COMMENT ON COLUMN warehouse.sales.product_key IS 'The product (dim_product); with order_id it names the line.';
COMMENT ON COLUMN warehouse.sales.user_key IS 'The customer (dim_user).';
COMMENT ON COLUMN warehouse.sales.category_key IS 'The category that the event named (dim_category).';
COMMENT ON COLUMN warehouse.sales.date_key IS 'The UTC date of the event (dim_date).';
COMMENT ON COLUMN warehouse.sales.ordered_at IS 'Event time.';
COMMENT ON COLUMN warehouse.sales.quantity IS 'Units sold.';
COMMENT ON COLUMN warehouse.sales.unit_price IS 'Price of one unit, in the reporting currency; null where there is no rate.';
COMMENT ON COLUMN warehouse.sales.revenue IS 'What the line is worth in the reporting currency, rounded to its decimals; null where there is no rate. Returns are not taken off.';
COMMENT ON COLUMN warehouse.sales.currency IS 'ISO 4217 code of the currency that the event was in.';
COMMENT ON COLUMN warehouse.sales.original_price IS 'Price of one unit, in `currency`.';
COMMENT ON COLUMN warehouse.sales.original_revenue IS 'price x quantity, in `currency`.';
COMMENT ON COLUMN warehouse.sales.source_partition IS 'Partition of the record that it came by.';
COMMENT ON COLUMN warehouse.sales.source_offset IS 'Offset of the record that it came by.';
COMMENT ON COLUMN warehouse.sales.load_xid IS 'The place of the loading transaction in the order of loads.';
COMMENT ON COLUMN warehouse.sales.loaded_at IS 'When the transaction that loaded it began.';
COMMENT ON COLUMN warehouse.sales_by_category.revenue IS 'Sum of the revenue, in the reporting currency.';
COMMENT ON COLUMN warehouse.sales_by_date.revenue IS 'Sum of the revenue, in the reporting currency.';
COMMENT ON COLUMN warehouse.top_products.revenue IS 'Sum of the revenue, in the reporting currency.';
