-- What a micro-batch adds, to the minutes that are open. Always in the same order, so that two writers cannot lock each other out.
INSERT INTO realtime.open_minutes AS m (window_start, category, currency, revenue, orders, lines, units)
SELECT to_timestamp(start_s), category, currency, sum(revenue), sum(orders), sum(lines), sum(units)
FROM pg_temp.news
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (window_start, category, currency) DO UPDATE
SET revenue = m.revenue + excluded.revenue, orders = m.orders + excluded.orders, lines = m.lines + excluded.lines,
    units = m.units + excluded.units
