INSERT INTO warehouse.dim_product (product_id, product_title, category_key, described_at)
SELECT n, 'Product ' || n, (SELECT min(category_key) FROM warehouse.dim_category) + n %% 12, now() - interval '90 days'
FROM generate_series(1, %(products)s) AS n
