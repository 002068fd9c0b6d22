-- What a micro-batch adds, to the minutes that are open; and the ids of the orders that it counted, until their minute is closed.
WITH news AS (
    SELECT to_timestamp(start_s) AS window_start, category, currency, revenue, orders, lines, units, ids::bigint[] AS ids FROM unnest(
        %(window_start)s::bigint[], %(category)s::text[], %(currency)s::text[], %(revenue)s::numeric[],
        %(orders)s::bigint[], %(lines)s::bigint[], %(units)s::bigint[], %(ids)s::text[]
    ) AS batch (start_s, category, currency, revenue, orders, lines, units, ids)
), kept AS (
    INSERT INTO realtime.open_orders (window_start, category, currency, batch_id, ids)
    SELECT window_start, category, currency, %(batch_id)s, ids FROM news WHERE orders > 0
)
INSERT INTO realtime.open_minutes AS m (window_start, category, currency, revenue, orders, lines, units)
SELECT window_start, category, currency, revenue, orders, lines, units FROM news
ORDER BY 1, 2, 3
ON CONFLICT (window_start, category, currency) DO UPDATE
SET revenue = m.revenue + excluded.revenue, orders = m.orders + excluded.orders, lines = m.lines + excluded.lines,
    units = m.units + excluded.units
