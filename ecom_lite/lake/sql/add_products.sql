-- Those that are new, or that are described otherwise than when they were last seen. Of all that are known only these are looked at.
INSERT INTO lake.products
WITH n AS MATERIALIZED (
    SELECT * FROM postgres_query('pg', $query_)
)
SELECT n.product_id, n.product_title, n.category, n.valid_from, n.load_xid
FROM n
LEFT JOIN (
    SELECT product_id, max_by((product_title, category), load_xid) AS described
    FROM lake.products WHERE product_id IN (SELECT product_id FROM n) GROUP BY product_id
) known ON known.product_id = n.product_id
WHERE known.described IS DISTINCT FROM (n.product_title, n.category)
