-- The foreign keys are declared NOT ENFORCED: this is their proof.
SELECT count(*) FILTER (u.user_key IS NULL) + count(*) FILTER (p.product_key IS NULL)
     + count(*) FILTER (c.category_key IS NULL) + count(*) FILTER (d.date_key IS NULL) AS orphans
FROM ecom.warehouse.fact_sales f
LEFT JOIN ecom.warehouse.dim_user u ON u.user_key = f.user_key
LEFT JOIN ecom.warehouse.dim_product p ON p.product_key = f.product_key
LEFT JOIN ecom.warehouse.dim_category c ON c.category_key = f.category_key
LEFT JOIN ecom.warehouse.dim_date d ON d.date_key = f.date_key
