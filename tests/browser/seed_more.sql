-- Beside seed_warehouse.sql: six more categories (some with long names), and lines that came back.
INSERT INTO warehouse.dim_category (category)
VALUES ('Toys & Games'), ('Garden & Outdoor'), ('Office Supplies'), ('Pet Supplies'), ('Automotive'), ('Health & Personal Care');

UPDATE warehouse.dim_product AS p SET category_key = c.category_key
FROM (SELECT category_key, row_number() OVER (ORDER BY category_key) - 1 AS place FROM warehouse.dim_category) AS c
WHERE c.place = p.product_id::int % 12;

UPDATE warehouse.fact_sales AS f SET category_key = p.category_key FROM warehouse.dim_product AS p WHERE p.product_key = f.product_key;

TRUNCATE realtime.minutes_by_currency;
INSERT INTO realtime.minutes_by_currency (window_start, category, currency, revenue, orders, lines, units)
SELECT date_trunc('minute', ordered_at), category, currency, sum(revenue), count(DISTINCT order_id), count(*), sum(quantity)
FROM warehouse.fact_sales JOIN warehouse.dim_category USING (category_key) GROUP BY 1, 2, 3;

INSERT INTO warehouse.fact_returns (order_id, product_id, kind, quantity, reason, returned_at, source_partition, source_offset, load_xid)
SELECT f.order_id, p.product_id, 'order_returned', 1,
    (ARRAY['does not fit', 'damaged', 'not as described', 'changed my mind'])[1 + f.source_offset % 4],
    least(f.ordered_at + interval '2 days', now() - interval '1 minute'), 0, f.source_offset, f.load_xid
FROM warehouse.fact_sales AS f JOIN warehouse.dim_product AS p USING (product_key)
WHERE f.source_offset % 30 = 0;
