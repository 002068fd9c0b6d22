SELECT attribute, sum(lines)::bigint AS lines, sum(revenue) AS revenue
FROM marts.sales_by_attribute
GROUP BY attribute
ORDER BY attribute
