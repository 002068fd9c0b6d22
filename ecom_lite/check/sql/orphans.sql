-- The foreign keys are declared NOT ENFORCED: this is their proof.
SELECT count(*) FILTER (WHERE u.user_key IS NULL) + count(*) FILTER (WHERE p.product_key IS NULL)
     + count(*) FILTER (WHERE c.category_key IS NULL) + count(*) FILTER (WHERE d.date_key IS NULL) AS orphans
FROM warehouse.fact_sales f
LEFT JOIN warehouse.dim_user u ON u.user_key = f.user_key
LEFT JOIN warehouse.dim_product p ON p.product_key = f.product_key
LEFT JOIN warehouse.dim_category c ON c.category_key = f.category_key
LEFT JOIN warehouse.dim_date d ON d.date_key = f.date_key
