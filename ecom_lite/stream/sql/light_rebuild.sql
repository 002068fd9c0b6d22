-- All minutes from all facts below the cut, into the table that was just emptied.
WITH minute AS (
    SELECT date_trunc('minute', f.ordered_at, 'UTC') AS window_start, f.category_key, f.currency,
           sum(coalesce(f.exact_price * f.quantity, f.revenue)) AS revenue,
           count(DISTINCT f.order_id) AS orders, count(*) AS lines, sum(f.quantity) AS units
    FROM warehouse.fact_sales f
    WHERE f.load_xid < %(below)s
    GROUP BY 1, 2, 3
),
written AS (
    INSERT INTO realtime.minutes_by_currency (window_start, category, currency, revenue, orders, lines, units)
    SELECT m.window_start, c.category, m.currency, m.revenue, m.orders, m.lines, m.units
    FROM minute m JOIN warehouse.dim_category c USING (category_key)
    RETURNING lines
)
SELECT coalesce(sum(lines), 0)::bigint, count(*) FROM written
