INSERT INTO warehouse.dim_product (product_id, product_title, category_key, described_at)
SELECT n.product_id, n.title, c.category_key, n.described_at
FROM unnest(%(ids)s::text[], %(titles)s::text[], %(categories)s::text[], %(times)s::timestamptz[])
     AS n (product_id, title, category, described_at)
JOIN warehouse.dim_category c ON c.category = n.category
WHERE NOT EXISTS (SELECT FROM warehouse.dim_product p WHERE p.product_id = n.product_id)
ORDER BY n.product_id
ON CONFLICT DO NOTHING
