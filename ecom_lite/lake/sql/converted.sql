-- Each line is rounded, as PostgreSQL does in warehouse.sales.
SELECT {segment} AS segment, count(*) AS lines, sum(round(revenue * rate, {decimals})) AS revenue
FROM lake.sales JOIN (VALUES {rates}) AS r (currency, day, rate) USING (currency, day)
GROUP BY ALL
