-- The facts of [since, below) added to the kept sums, and the cut moved, in one statement. An order counts once, and once per category:
-- only if none of its older lines is there already, which the primary key tells (the lateral joins keep it one probe per order).
WITH fresh AS MATERIALIZED (
    SELECT order_id, category_key, product_key, user_key, quantity, coalesce(revenue, 0) AS revenue
    FROM warehouse.sales  -- in the reporting currency; null, where there is no rate
    WHERE load_xid >= %(since)s AND load_xid < %(below)s
),
parts AS (
    SELECT order_id, category_key, count(*) AS lines, sum(quantity) AS units, sum(revenue) AS revenue
    FROM fresh
    GROUP BY order_id, category_key
),
categories AS (
    INSERT INTO realtime.rolled_categories AS r (category_key, lines, orders, units, revenue)
    SELECT p.category_key, sum(p.lines), count(*) FILTER (WHERE known.yes IS NULL), sum(p.units), sum(p.revenue)
    FROM parts p
    LEFT JOIN LATERAL (
        SELECT true AS yes FROM warehouse.fact_sales o
        WHERE %(since)s > 0 AND o.order_id = p.order_id AND o.category_key = p.category_key AND o.load_xid < %(since)s
        LIMIT 1
    ) known ON true
    GROUP BY p.category_key
    ON CONFLICT (category_key) DO UPDATE
    SET lines = r.lines + excluded.lines, orders = r.orders + excluded.orders, units = r.units + excluded.units,
        revenue = r.revenue + excluded.revenue
),
products AS (
    INSERT INTO realtime.rolled_products AS r (product_key, lines, units, revenue)
    SELECT product_key, count(*), sum(quantity), sum(revenue) FROM fresh GROUP BY product_key
    ON CONFLICT (product_key) DO UPDATE
    SET lines = r.lines + excluded.lines, units = r.units + excluded.units, revenue = r.revenue + excluded.revenue
),
customers AS (
    INSERT INTO realtime.rolled_customers AS r (user_key, lines, units, revenue)
    SELECT user_key, count(*), sum(quantity), sum(revenue) FROM fresh GROUP BY user_key
    ON CONFLICT (user_key) DO UPDATE
    SET lines = r.lines + excluded.lines, units = r.units + excluded.units, revenue = r.revenue + excluded.revenue
),
orders AS (
    SELECT count(*) AS orders
    FROM (SELECT DISTINCT order_id FROM fresh) n
    LEFT JOIN LATERAL (
        SELECT true AS yes FROM warehouse.fact_sales o
        WHERE %(since)s > 0 AND o.order_id = n.order_id AND o.load_xid < %(since)s
        LIMIT 1
    ) known ON true
    WHERE known.yes IS NULL
),
recent AS MATERIALIZED (  -- with the bounds of what is kept of the last days, which begin anew every hour
    SELECT * FROM realtime.recent_lines(%(since)s, %(below)s, %(sales_from)s)
),
forgotten_sales AS (
    DELETE FROM realtime.recent_sales WHERE minutes IN (1, 60) AND begins < %(sales_from)s
),
forgotten_products AS (
    DELETE FROM realtime.recent_products WHERE begins < %(products_from)s
),
recent_sales AS (
    INSERT INTO realtime.recent_sales AS r (minutes, begins, category_key, country, lines, orders, category_orders, units, revenue)
    SELECT s.minutes, date_bin(s.minutes * interval '1 minute', l.ordered_at, 'epoch'), l.category_key, l.country, count(*),
           count(*) FILTER (WHERE l.starts_order), count(*) FILTER (WHERE l.starts_in_category), sum(l.units), sum(l.revenue)
    FROM recent l CROSS JOIN (VALUES (1), (60)) AS s (minutes)
    GROUP BY 1, 2, 3, 4
    ON CONFLICT (minutes, begins, category_key, country) DO UPDATE
    SET lines = r.lines + excluded.lines, orders = r.orders + excluded.orders,
        category_orders = r.category_orders + excluded.category_orders, units = r.units + excluded.units, revenue = r.revenue + excluded.revenue
),
recent_products AS (
    INSERT INTO realtime.recent_products AS r (begins, product_key, lines, units, revenue)
    SELECT date_bin('10 minutes', l.ordered_at, 'epoch'), l.product_key, count(*), sum(l.units), sum(l.revenue)
    FROM recent l
    WHERE l.ordered_at >= %(products_from)s
    GROUP BY 1, 2
    ON CONFLICT (begins, product_key) DO UPDATE
    SET lines = r.lines + excluded.lines, units = r.units + excluded.units, revenue = r.revenue + excluded.revenue
),
sums AS (
    SELECT count(*) AS lines, coalesce(sum(quantity), 0) AS units, coalesce(sum(revenue), 0) AS revenue FROM fresh
)
UPDATE realtime.rolled r
SET load_xid_below = %(below)s, lines = r.lines + s.lines, orders = r.orders + o.orders, units = r.units + s.units,
    revenue = r.revenue + s.revenue, updated_at = now()
FROM sums s, orders o
RETURNING s.lines
