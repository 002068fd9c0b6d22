-- The ids of customers and products may be texts (UUIDs, SKUs): what joins are the surrogate keys, so the facts lose their copy of the
-- product's id, and a line is named by (order_id, product_key). One transaction: what is stopped in the midst is as before.
LOCK TABLE ops.consumer_offsets IN EXCLUSIVE MODE;  -- what loaders begin with: none is in its midst from here on
SELECT set_config('maintenance_work_mem', '256MB', true);  -- for the indexes, of this transaction only

-- Views stand on the columns that change. dbt makes its own again, at the start of its next run.
DROP VIEW warehouse.top_products;
DROP VIEW IF EXISTS marts.stg_sales, marts.stg_users, marts.stg_user_changes, marts.stg_products;

ALTER TABLE warehouse.fact_sales DROP CONSTRAINT fact_sales_pkey, DROP COLUMN product_id;
CREATE UNIQUE INDEX fact_sales_pkey ON warehouse.fact_sales (order_id, product_key);
ALTER TABLE warehouse.fact_sales ADD CONSTRAINT fact_sales_pkey PRIMARY KEY USING INDEX fact_sales_pkey;

ALTER TABLE warehouse.dim_user ALTER COLUMN user_id TYPE text;
ALTER TABLE warehouse.dim_product ALTER COLUMN product_id TYPE text;
ALTER TABLE warehouse.fact_returns ALTER COLUMN product_id TYPE text;
ALTER TABLE warehouse.user_changes ALTER COLUMN user_id TYPE text;
ALTER TABLE IF EXISTS marts.customer_ltv ALTER COLUMN user_id TYPE text;
ALTER TABLE IF EXISTS marts.product_performance ALTER COLUMN product_id TYPE text;
ANALYZE warehouse.dim_user, warehouse.dim_product, warehouse.fact_returns, warehouse.user_changes;

CREATE VIEW warehouse.top_products AS
SELECT p.product_id, p.product_title, c.category, sum(f.quantity) AS units, sum(f.revenue) AS revenue,
       rank() OVER (ORDER BY sum(f.revenue) DESC) AS revenue_rank
FROM warehouse.fact_sales f
JOIN warehouse.dim_product p USING (product_key)
JOIN warehouse.dim_category c ON c.category_key = p.category_key
GROUP BY p.product_id, p.product_title, c.category;

-- Left joins on unique keys: PostgreSQL leaves out those whose columns are not asked for.
CREATE VIEW warehouse.order_lines AS
SELECT f.order_id, u.user_id, p.product_id, p.product_title, c.category, f.unit_price AS price, f.quantity, f.revenue,
       f.ordered_at AS "timestamp", f.source_partition, f.source_offset, f.load_xid, f.loaded_at
FROM warehouse.fact_sales f
LEFT JOIN warehouse.dim_user u ON u.user_key = f.user_key
LEFT JOIN warehouse.dim_product p ON p.product_key = f.product_key
LEFT JOIN warehouse.dim_category c ON c.category_key = f.category_key;

GRANT SELECT ON warehouse.top_products, warehouse.order_lines TO ecom_loader, ecom_stream, ecom_dbt, ecom_reader;

COMMENT ON COLUMN warehouse.dim_user.user_id IS 'The customer''s id in the events: a number without leading zeros, or the text as it is.';
COMMENT ON COLUMN warehouse.dim_product.product_id IS 'The product''s id in the events: a number without leading zeros, or the text as it is.';
COMMENT ON COLUMN warehouse.dim_product.product_title IS 'Newest title; the id, where no order line had one.';
COMMENT ON COLUMN warehouse.dim_product.described_at IS 'Event time of the order line that gave the title and category shown here: the newest with a title; where none had one, the newest.';
COMMENT ON COLUMN warehouse.fact_sales.order_id IS 'The order, as text; with product_key it names the line.';
COMMENT ON COLUMN warehouse.fact_sales.product_key IS 'The product (dim_product); with order_id it names the line.';
COMMENT ON COLUMN warehouse.fact_returns.product_id IS 'The product''s id, as in dim_product; with order_id it names the line that is taken back.';
COMMENT ON COLUMN warehouse.user_changes.user_id IS 'The customer''s id, as in dim_user.';

COMMENT ON VIEW warehouse.top_products IS 'All sales by product, ranked.';
COMMENT ON COLUMN warehouse.top_products.product_id IS 'The product''s id, as in dim_product.';
COMMENT ON COLUMN warehouse.top_products.product_title IS 'Newest title; the id, where no order line had one.';
COMMENT ON COLUMN warehouse.top_products.category IS 'Newest category.';
COMMENT ON COLUMN warehouse.top_products.units IS 'Sum of the quantities.';
COMMENT ON COLUMN warehouse.top_products.revenue IS 'Sum of the revenue.';
COMMENT ON COLUMN warehouse.top_products.revenue_rank IS '1 is the product with the most revenue; equal revenue, equal rank.';

COMMENT ON VIEW warehouse.order_lines IS 'The facts under the names that the events have: one row per order line.';
COMMENT ON COLUMN warehouse.order_lines.order_id IS 'The order, as text; with product_id it names the line.';
COMMENT ON COLUMN warehouse.order_lines.user_id IS 'The customer''s id, as in dim_user.';
COMMENT ON COLUMN warehouse.order_lines.product_id IS 'The product''s id, as in dim_product.';
COMMENT ON COLUMN warehouse.order_lines.product_title IS 'Newest title of the product; its id, where no order line had one.';
COMMENT ON COLUMN warehouse.order_lines.category IS 'The category that the event named.';
COMMENT ON COLUMN warehouse.order_lines.price IS 'Price of one unit, in the shop''s currency.';
COMMENT ON COLUMN warehouse.order_lines.quantity IS 'Units sold.';
COMMENT ON COLUMN warehouse.order_lines.revenue IS 'price x quantity, in the shop''s currency. Returns are not taken off.';
COMMENT ON COLUMN warehouse.order_lines."timestamp" IS 'Event time.';
COMMENT ON COLUMN warehouse.order_lines.source_partition IS 'Partition of the record that it came by.';
COMMENT ON COLUMN warehouse.order_lines.source_offset IS 'Offset of the record that it came by.';
COMMENT ON COLUMN warehouse.order_lines.load_xid IS 'The place of the loading transaction in the order of loads.';
COMMENT ON COLUMN warehouse.order_lines.loaded_at IS 'When the transaction that loaded it began.';
