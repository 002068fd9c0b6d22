-- The facts of [since, below) added to the kept sums, and the cut moved, in one statement. An order counts once, and once per category: at
-- its first line (there), in the load order, and only if none of its older lines is there already, which the primary key tells (the
-- lateral joins keep it one probe per order). The sums of the last days need to know where that is; the others only how often.
WITH marked AS (
    SELECT order_id, category_key, product_key, user_key, ordered_at, quantity, coalesce(revenue, 0) AS revenue, date_key, currency, original_revenue,
           row_number() OVER (PARTITION BY order_id ORDER BY load_xid, ordered_at, category_key, product_key) = 1 AS may_start_order,
           row_number() OVER (PARTITION BY order_id, category_key ORDER BY load_xid, ordered_at, product_key) = 1 AS may_start_category
    FROM warehouse.sales  -- in the reporting currency; null, where there is no rate
    WHERE load_xid >= %(since)s AND load_xid < %(below)s
),
fresh AS MATERIALIZED (
    SELECT m.*, m.may_start_order AND known.yes IS NULL AS starts_order, m.may_start_category AND known_there.yes IS NULL AS starts_category
    FROM marked m
    LEFT JOIN LATERAL (
        SELECT true AS yes FROM warehouse.fact_sales o
        WHERE %(since)s > 0 AND m.may_start_order AND o.order_id = m.order_id AND o.load_xid < %(since)s
        LIMIT 1
    ) known ON true
    LEFT JOIN LATERAL (
        SELECT true AS yes FROM warehouse.fact_sales o
        WHERE %(since)s > 0 AND m.may_start_category AND o.order_id = m.order_id AND o.category_key = m.category_key
              AND o.load_xid < %(since)s
        LIMIT 1
    ) known_there ON true
),
categories AS (
    INSERT INTO realtime.rolled_categories AS r (category_key, lines, orders, units, revenue)
    SELECT category_key, count(*), count(*) FILTER (WHERE starts_category), sum(quantity), sum(revenue) FROM fresh GROUP BY category_key
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
days AS (
    INSERT INTO realtime.rolled_days AS r (date_key, currency, lines, revenue)
    SELECT date_key, currency, count(*), sum(original_revenue) FROM fresh GROUP BY date_key, currency
    ON CONFLICT (date_key, currency) DO UPDATE SET lines = r.lines + excluded.lines, revenue = r.revenue + excluded.revenue
),
forgotten_sales AS (
    DELETE FROM realtime.recent_sales WHERE minutes IN (1, 60) AND begins < %(sales_from)s
),
forgotten_products AS (
    DELETE FROM realtime.recent_products WHERE begins < %(products_from)s
),
recent_minutes AS MATERIALIZED (
    SELECT date_bin('1 minute', f.ordered_at, 'epoch') AS begins, f.category_key, coalesce(u.country, '(unknown)') AS country,
           count(*) AS lines, count(*) FILTER (WHERE f.starts_order) AS orders, count(*) FILTER (WHERE f.starts_category) AS category_orders,
           sum(f.quantity) AS units, sum(f.revenue) AS revenue
    FROM fresh f
    LEFT JOIN LATERAL (SELECT d.country FROM warehouse.dim_user d WHERE d.user_key = f.user_key LIMIT 1) u ON true
    WHERE f.ordered_at >= %(sales_from)s
    GROUP BY 1, 2, 3
),
recent_sales AS (
    INSERT INTO realtime.recent_sales AS r (minutes, begins, category_key, country, lines, orders, category_orders, units, revenue)
    SELECT s.minutes, date_bin(s.minutes * interval '1 minute', m.begins, 'epoch'), m.category_key, m.country, sum(m.lines), sum(m.orders),
           sum(m.category_orders), sum(m.units), sum(m.revenue)
    FROM recent_minutes m CROSS JOIN (VALUES (1), (60)) AS s (minutes)
    GROUP BY 1, 2, 3, 4
    ON CONFLICT (minutes, begins, category_key, country) DO UPDATE
    SET lines = r.lines + excluded.lines, orders = r.orders + excluded.orders,
        category_orders = r.category_orders + excluded.category_orders, units = r.units + excluded.units, revenue = r.revenue + excluded.revenue
),
recent_products AS (
    INSERT INTO realtime.recent_products AS r (begins, product_key, lines, units, revenue)
    SELECT date_bin('10 minutes', ordered_at, 'epoch'), product_key, count(*), sum(quantity), sum(revenue)
    FROM fresh
    WHERE ordered_at >= %(products_from)s
    GROUP BY 1, 2
    ON CONFLICT (begins, product_key) DO UPDATE
    SET lines = r.lines + excluded.lines, units = r.units + excluded.units, revenue = r.revenue + excluded.revenue
),
sums AS (
    SELECT count(*) AS lines, count(*) FILTER (WHERE starts_order) AS orders, coalesce(sum(quantity), 0) AS units,
           coalesce(sum(revenue), 0) AS revenue
    FROM fresh
)
UPDATE realtime.rolled r
SET load_xid_below = %(below)s, lines = r.lines + s.lines, orders = r.orders + s.orders, units = r.units + s.units,
    revenue = r.revenue + s.revenue, updated_at = now()
FROM sums s
RETURNING s.lines
