-- Those that are new, or that are described otherwise than when they were last seen.
INSERT INTO lake.products
SELECT n.product_id, n.product_title, n.category, n.valid_from, n.load_xid
FROM postgres_query('pg', $query_) n
LEFT JOIN (
    SELECT product_id, max_by((product_title, category), load_xid) AS described FROM lake.products GROUP BY product_id
) known ON known.product_id = n.product_id
WHERE known.described IS DISTINCT FROM (n.product_title, n.category)
