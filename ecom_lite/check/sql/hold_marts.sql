-- A table that is swapped for a new one after our moment was taken would look empty: held back until we are done.
LOCK TABLE marts.daily_sales, marts.product_performance, marts.customer_ltv IN ACCESS SHARE MODE
