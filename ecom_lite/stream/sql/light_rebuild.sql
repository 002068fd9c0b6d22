-- All minutes from all facts below the cut, into the table that was just emptied.
WITH minute AS (
    SELECT date_trunc('minute', f.ordered_at, 'UTC') AS window_start, f.category_key, sum(f.revenue) AS revenue,
           count(DISTINCT f.order_id) AS orders, count(*) AS lines, sum(f.quantity) AS units
    FROM warehouse.fact_sales f
    WHERE f.load_xid < %(below)s
    GROUP BY 1, 2
),
written AS (
    INSERT INTO realtime.sales_per_minute (window_start, category, revenue, orders, lines, units)
    SELECT m.window_start, c.category, m.revenue, m.orders, m.lines, m.units
    FROM minute m JOIN warehouse.dim_category c USING (category_key)
    RETURNING lines
)
SELECT coalesce(sum(lines), 0)::bigint, count(*) FROM written
