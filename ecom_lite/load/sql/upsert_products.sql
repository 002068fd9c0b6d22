-- New products, and the newest title and category of known ones.
WITH incoming AS (
    SELECT n.product_id, n.title, c.category_key, n.described_at
    FROM unnest(%(ids)s::bigint[], %(titles)s::text[], %(categories)s::text[], %(times)s::timestamptz[])
         AS n (product_id, title, category, described_at)
    JOIN warehouse.dim_category c ON c.category = n.category
), changed AS (
    UPDATE warehouse.dim_product p
    SET product_title = i.title, category_key = i.category_key, described_at = i.described_at
    FROM incoming i
    WHERE p.product_id = i.product_id AND i.described_at >= p.described_at
      AND (p.product_title, p.category_key) IS DISTINCT FROM (i.title, i.category_key)
)
INSERT INTO warehouse.dim_product (product_id, product_title, category_key, described_at)
SELECT product_id, title, category_key, described_at FROM incoming i
WHERE NOT EXISTS (SELECT FROM warehouse.dim_product p WHERE p.product_id = i.product_id)
ON CONFLICT DO NOTHING
