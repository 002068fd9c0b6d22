-- The newest order line with a title says what a product shows; of lines of one time the greater title, then the greater category. A
-- line without one has the product's id as its title, and counts only where no other does. So the order in which lines come, their
-- batches and their loaders make no difference. The rows are locked by lock_products.
UPDATE warehouse.dim_product p
SET product_title = n.title, category_key = c.category_key, described_at = n.described_at
FROM unnest(%(ids)s::text[], %(titles)s::text[], %(categories)s::text[], %(times)s::timestamptz[])
     AS n (product_id, title, category, described_at)
JOIN warehouse.dim_category c ON c.category = n.category
WHERE p.product_id = n.product_id
  AND (n.title <> n.product_id, n.described_at, n.title COLLATE "C", n.category COLLATE "C") > (
      p.product_title <> p.product_id, p.described_at, p.product_title COLLATE "C",
      (SELECT shown.category FROM warehouse.dim_category shown WHERE shown.category_key = p.category_key) COLLATE "C"
  )
