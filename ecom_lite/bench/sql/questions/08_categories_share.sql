-- What share of the revenue each category has, of the last 30 days and of all.
SELECT category, sum(revenue) / sum(sum(revenue)) OVER () AS share,
       sum(revenue) FILTER (WHERE day > (SELECT max(day) FROM {sales} n) - INTERVAL '30 days') AS lately
FROM {sales} s GROUP BY 1 ORDER BY 1
