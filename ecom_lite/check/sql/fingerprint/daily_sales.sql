SELECT date, lines, orders, units, revenue, customers, average_order_value
FROM marts.daily_sales
ORDER BY date
