SELECT count(*) FILTER (WHERE category = %(category)s), count(*)
FROM warehouse.fact_sales JOIN warehouse.dim_category USING (category_key)
WHERE ordered_at >= %(since)s AND ordered_at < %(until)s
