SELECT p.product_id, p.product_title, c.category, p.described_at AS valid_from, f.load_xid
FROM (SELECT product_key, max(load_xid) AS load_xid FROM warehouse.fact_sales
      WHERE load_xid >= {since} AND load_xid < {below} GROUP BY product_key) f
JOIN warehouse.dim_product p ON p.product_key = f.product_key
JOIN warehouse.dim_category c ON c.category_key = p.category_key
