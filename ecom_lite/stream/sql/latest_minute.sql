-- The newest minute that has ended, by category, for the table in the log. Which one that is, the index of the table says: the view would
-- be grouped by all the minutes there are.
SELECT window_start, category, revenue, orders, lines, units
FROM realtime.sales_per_minute
WHERE window_start = (SELECT max(window_start) FROM realtime.minutes_by_currency WHERE window_start <= now() - interval '1 minute')
ORDER BY revenue DESC NULLS LAST, category
