-- An amount is in a currency. Facts from before are in what `currency.default` is when this runs; a constant default rewrites nothing.
-- Loaders name the currency of each fact: the column's default is for whoever writes facts by hand.
DO $$
BEGIN
    EXECUTE format(
        'ALTER TABLE warehouse.fact_sales ADD COLUMN currency text NOT NULL DEFAULT %L',
        coalesce(nullif(current_setting('ecom_lite.default_currency', true), ''), 'USD')
    );
END $$;
ALTER TABLE warehouse.fact_sales ADD COLUMN exact_price numeric(12, 4);

DROP VIEW warehouse.order_lines;
CREATE VIEW warehouse.order_lines AS
SELECT f.order_id, u.user_id, p.product_id, p.product_title, c.category,
       coalesce(f.exact_price, f.unit_price)::numeric(12, 4) AS price, f.quantity,
       coalesce(f.exact_price * f.quantity, f.revenue)::numeric(18, 4) AS revenue, f.currency,
       f.ordered_at AS "timestamp", f.source_partition, f.source_offset, f.load_xid, f.loaded_at
FROM warehouse.fact_sales f
LEFT JOIN warehouse.dim_user u ON u.user_key = f.user_key
LEFT JOIN warehouse.dim_product p ON p.product_key = f.product_key
LEFT JOIN warehouse.dim_category c ON c.category_key = f.category_key;
GRANT SELECT ON warehouse.order_lines TO ecom_loader, ecom_stream, ecom_dbt, ecom_reader;

COMMENT ON COLUMN warehouse.fact_sales.currency IS 'ISO 4217 code of the currency of unit_price and revenue.';
COMMENT ON COLUMN warehouse.fact_sales.unit_price IS 'Price of one unit, in `currency`; to the cent, where exact_price is set.';
COMMENT ON COLUMN warehouse.fact_sales.revenue IS 'unit_price x quantity, in `currency`; exact_price x quantity to the cent, where that is set. Returns are not taken off.';
COMMENT ON COLUMN warehouse.fact_sales.exact_price IS 'Price of one unit in a currency of more than two decimals, such as KWD; else null: unit_price is exact.';
COMMENT ON VIEW warehouse.order_lines IS 'The facts under the names that the events have, in the currency that they came in: one row per order line.';
COMMENT ON COLUMN warehouse.order_lines.order_id IS 'The order, as text; with product_id it names the line.';
COMMENT ON COLUMN warehouse.order_lines.user_id IS 'The customer''s id, as in dim_user.';
COMMENT ON COLUMN warehouse.order_lines.product_id IS 'The product''s id, as in dim_product.';
COMMENT ON COLUMN warehouse.order_lines.product_title IS 'Newest title of the product; its id, where no order line had one.';
COMMENT ON COLUMN warehouse.order_lines.category IS 'The category that the event named.';
COMMENT ON COLUMN warehouse.order_lines.price IS 'Price of one unit, in `currency`.';
COMMENT ON COLUMN warehouse.order_lines.quantity IS 'Units sold.';
COMMENT ON COLUMN warehouse.order_lines.revenue IS 'price x quantity, in `currency`. Returns are not taken off.';
COMMENT ON COLUMN warehouse.order_lines.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN warehouse.order_lines."timestamp" IS 'Event time.';
COMMENT ON COLUMN warehouse.order_lines.source_partition IS 'Partition of the record that it came by.';
COMMENT ON COLUMN warehouse.order_lines.source_offset IS 'Offset of the record that it came by.';
COMMENT ON COLUMN warehouse.order_lines.load_xid IS 'The place of the loading transaction in the order of loads.';
COMMENT ON COLUMN warehouse.order_lines.loaded_at IS 'When the transaction that loaded it began.';
