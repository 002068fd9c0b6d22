INSERT INTO warehouse.dim_product (product_id, product_title, category_key, described_at)
VALUES (%(product_id)s::text, %(product_title)s, %(category_key)s, %(timestamp)s)
RETURNING product_key
