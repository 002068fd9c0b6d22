-- The facts of [since, below) added to their minutes. An order counts once per minute, category and currency: only if none of its older
-- lines is there already, which the primary key tells (the lateral join keeps it one index probe per order).
WITH fresh AS MATERIALIZED (
    SELECT date_trunc('minute', ordered_at, 'UTC') AS window_start, category_key, currency, order_id,
           sum(coalesce(exact_price * quantity, revenue)) AS revenue,
           count(*) AS lines, sum(quantity) AS units
    FROM warehouse.fact_sales
    WHERE load_xid >= %(since)s AND load_xid < %(below)s
    GROUP BY 1, 2, 3, 4
),
minute AS (
    SELECT f.window_start, f.category_key, f.currency, sum(f.revenue) AS revenue,
           count(*) FILTER (WHERE known.yes IS NULL) AS orders, sum(f.lines) AS lines, sum(f.units) AS units
    FROM fresh f
    LEFT JOIN LATERAL (
        SELECT true AS yes
        FROM warehouse.fact_sales o
        WHERE o.order_id = f.order_id AND o.category_key = f.category_key AND o.currency = f.currency AND o.load_xid < %(since)s
          AND o.ordered_at >= f.window_start AND o.ordered_at < f.window_start + interval '1 minute'
        LIMIT 1
    ) known ON true
    GROUP BY 1, 2, 3
),
written AS (
    INSERT INTO realtime.minutes_by_currency AS s (window_start, category, currency, revenue, orders, lines, units)
    SELECT m.window_start, c.category, m.currency, m.revenue, m.orders, m.lines, m.units
    FROM minute m JOIN warehouse.dim_category c USING (category_key)
    ON CONFLICT (window_start, category, currency) DO UPDATE
    SET revenue = s.revenue + excluded.revenue, orders = s.orders + excluded.orders, lines = s.lines + excluded.lines,
        units = s.units + excluded.units, updated_at = now()
    RETURNING 1
)
SELECT (SELECT coalesce(sum(lines), 0)::bigint FROM fresh), (SELECT count(*) FROM written)
