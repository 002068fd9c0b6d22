SELECT count(*) FROM warehouse.fact_sales
