-- Products of which the batch may know something newer, in one order for all loaders, so that two of them cannot deadlock.
SELECT
FROM warehouse.dim_product p
JOIN unnest(%(ids)s::text[], %(titles)s::text[], %(times)s::timestamptz[]) AS n (product_id, title, described_at)
     ON n.product_id = p.product_id
    AND (n.title <> n.product_id, n.described_at) >= (p.product_title <> p.product_id, p.described_at)
ORDER BY p.product_id
FOR NO KEY UPDATE OF p
