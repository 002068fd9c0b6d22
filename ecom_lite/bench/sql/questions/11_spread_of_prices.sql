-- The middle and the upper end of what a line is worth, by category.
SELECT category, percentile_cont(0.5) WITHIN GROUP (ORDER BY revenue::double precision) AS middle,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY revenue::double precision) AS upper
FROM {sales} s GROUP BY 1 ORDER BY 1
