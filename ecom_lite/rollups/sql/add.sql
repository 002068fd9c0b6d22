-- The facts of [since, below) added to the kept sums, and the cut moved, in one statement. An order counts once, once per category and once
-- per minute: at its first line (there), in the load order, and only if none of its older lines is there already, which the primary key tells
-- (the lateral joins keep it one probe per order; for its minute there is none where the order is new). The sums of the last days need to know
-- where that is; the others only how often.
WITH marked AS (
    SELECT order_id, category_key, product_key, user_key, ordered_at, date_bin('1 minute', ordered_at, 'epoch') AS minute, quantity,
           coalesce(revenue, 0) AS revenue, date_key, currency, original_revenue,
           row_number() OVER (PARTITION BY order_id ORDER BY load_xid, ordered_at, category_key, product_key) = 1 AS may_start_order,
           row_number() OVER (PARTITION BY order_id, category_key ORDER BY load_xid, ordered_at, product_key) = 1 AS may_start_category,
           row_number() OVER (PARTITION BY order_id, date_bin('1 minute', ordered_at, 'epoch')
                              ORDER BY load_xid, ordered_at, category_key, product_key) = 1 AS may_start_minute
    FROM warehouse.sales  -- in the reporting currency; null, where there is no rate
    WHERE load_xid >= %(since)s AND load_xid < %(below)s
),
fresh AS MATERIALIZED (
    SELECT m.*, m.may_start_order AND known.yes IS NULL AS starts_order, m.may_start_category AND known_there.yes IS NULL AS starts_category,
           m.may_start_minute AND known_then.yes IS NULL AS starts_minute
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
    LEFT JOIN LATERAL (
        SELECT true AS yes FROM warehouse.fact_sales o
        WHERE %(since)s > 0 AND m.may_start_minute AND (known.yes OR NOT m.may_start_order) AND o.order_id = m.order_id
              AND o.ordered_at >= m.minute AND o.ordered_at < m.minute + interval '1 minute' AND o.load_xid < %(since)s
        LIMIT 1
    ) known_then ON true
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
    SELECT f.minute AS begins, f.category_key, coalesce(u.country, '(unknown)') AS country, count(*) AS lines,
           count(*) FILTER (WHERE f.starts_order) AS orders, count(*) FILTER (WHERE f.starts_category) AS category_orders,
           count(*) FILTER (WHERE f.starts_minute) AS minute_orders, sum(f.quantity) AS units, sum(f.revenue) AS revenue
    FROM fresh f
    LEFT JOIN LATERAL (SELECT d.country FROM warehouse.dim_user d WHERE d.user_key = f.user_key LIMIT 1) u ON true
    WHERE f.ordered_at >= %(sales_from)s
    GROUP BY 1, 2, 3
),
recent_sales AS (
    INSERT INTO realtime.recent_sales AS r (
        minutes, begins, category_key, country, lines, orders, category_orders, minute_orders, units, revenue
    )
    SELECT s.minutes, date_bin(s.minutes * interval '1 minute', m.begins, 'epoch'), m.category_key, m.country, sum(m.lines), sum(m.orders),
           sum(m.category_orders), sum(m.minute_orders), sum(m.units), sum(m.revenue)
    FROM recent_minutes m CROSS JOIN (VALUES (1), (60)) AS s (minutes)
    GROUP BY 1, 2, 3, 4
    ON CONFLICT (minutes, begins, category_key, country) DO UPDATE
    SET lines = r.lines + excluded.lines, orders = r.orders + excluded.orders,
        category_orders = r.category_orders + excluded.category_orders, minute_orders = r.minute_orders + excluded.minute_orders,
        units = r.units + excluded.units, revenue = r.revenue + excluded.revenue
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
minutes_in_all AS (
    INSERT INTO realtime.minutes_in_all AS r (window_start, lines, orders, units, revenue)
    SELECT minute, count(*), count(*) FILTER (WHERE starts_minute), sum(quantity), sum(revenue) FROM fresh GROUP BY minute
    ON CONFLICT (window_start) DO UPDATE
    SET lines = r.lines + excluded.lines, orders = r.orders + excluded.orders, units = r.units + excluded.units,
        revenue = r.revenue + excluded.revenue
),
came_late AS (  -- order lines that returns have waited for
    DELETE FROM realtime.returns_waiting w
    USING fresh f
    JOIN warehouse.dim_product p USING (product_key)
    JOIN warehouse.sales s USING (order_id, product_key)
    WHERE f.order_id = w.order_id AND p.product_id = w.product_id
    RETURNING w.window_start, w.kind, w.units * s.unit_price AS amount
),
priced_late AS (
    UPDATE realtime.minutes_of_returns r SET amount = r.amount + l.amount
    FROM (SELECT window_start, kind, coalesce(sum(amount), 0) AS amount FROM came_late GROUP BY window_start, kind) l
    WHERE r.window_start = l.window_start AND r.kind = l.kind
),
sums AS (
    SELECT count(*) AS lines, count(*) FILTER (WHERE starts_order) AS orders, coalesce(sum(quantity), 0) AS units,
           coalesce(sum(revenue), 0) AS revenue,
           max(ordered_at) FILTER (WHERE ordered_at <= %(ahead)s) AS newest  -- a clock that is ahead closes nothing
    FROM fresh
)
UPDATE realtime.rolled r
SET load_xid_below = %(below)s, lines = r.lines + s.lines, orders = r.orders + s.orders, units = r.units + s.units,
    revenue = r.revenue + s.revenue, watermark = greatest(r.watermark, s.newest - %(lateness)s::interval), updated_at = now()
FROM sums s
RETURNING s.lines
