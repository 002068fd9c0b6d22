-- When people buy: lines by weekday and hour.
SELECT extract(isodow FROM day) AS weekday, hour, count(*) AS lines, sum(revenue) AS revenue
FROM {sales} s GROUP BY 1, 2 ORDER BY 1, 2
