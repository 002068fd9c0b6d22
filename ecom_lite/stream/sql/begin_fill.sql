-- All minutes from the facts there are.
WITH before AS (
    INSERT INTO realtime.minutes_before (window_start, category, currency, revenue, orders, lines, units)
    SELECT date_trunc('minute', f.ordered_at, 'UTC'), c.category, f.currency,
           sum(coalesce(f.exact_price * f.quantity, f.revenue)), count(DISTINCT f.order_id), count(*), sum(f.quantity)
    FROM warehouse.fact_sales f JOIN warehouse.dim_category c USING (category_key)
    GROUP BY 1, 2, 3
    RETURNING window_start, category, currency, revenue, orders, lines, units
)
INSERT INTO realtime.minutes_by_currency (window_start, category, currency, revenue, orders, lines, units)
SELECT window_start, category, currency, revenue, orders, lines, units FROM before
