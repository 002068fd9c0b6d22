SELECT attribute, value, date, lines, units, revenue
FROM marts.sales_by_attribute
ORDER BY attribute COLLATE "C", value COLLATE "C", date
