-- The minutes that a micro-batch has added to, on top of what was counted before Spark began on this topic. A minute only grows: a
-- query that begins anew, on a topic of which retention has removed the beginning, must not take away what is known of it.
INSERT INTO realtime.minutes_by_currency AS m (window_start, category, currency, revenue, orders, lines, units)
SELECT n.window_start, n.category, n.currency, n.revenue + coalesce(b.revenue, 0), n.orders + coalesce(b.orders, 0),
       n.lines + coalesce(b.lines, 0), n.units + coalesce(b.units, 0)
FROM realtime.open_minutes n
LEFT JOIN realtime.minutes_before b USING (window_start, category, currency)
WHERE (n.window_start, n.category, n.currency) IN (SELECT to_timestamp(start_s), category, currency FROM pg_temp.news)
ORDER BY 1, 2, 3
ON CONFLICT (window_start, category, currency) DO UPDATE
SET revenue = excluded.revenue, orders = excluded.orders, lines = excluded.lines, units = excluded.units, updated_at = now()
WHERE excluded.lines >= m.lines
