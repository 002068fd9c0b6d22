SELECT pg_total_relation_size('warehouse.fact_sales')
