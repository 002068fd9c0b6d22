-- No row points at a dimension row that is not there, and no dimension has a row twice.
SELECT format('fact {} {}', f.order_id, f.product_key), 'all four dimension rows', 'one is missing'
FROM ecom.warehouse.fact_sales f
LEFT JOIN ecom.warehouse.dim_user u ON u.user_key = f.user_key
LEFT JOIN ecom.warehouse.dim_product p ON p.product_key = f.product_key
LEFT JOIN ecom.warehouse.dim_category c ON c.category_key = f.category_key
LEFT JOIN ecom.warehouse.dim_date d ON d.date_key = f.date_key
WHERE u.user_key IS NULL OR p.product_key IS NULL OR c.category_key IS NULL OR d.date_key IS NULL
UNION ALL
SELECT format('product {}', p.product_id), 'its category', 'missing'
FROM ecom.warehouse.dim_product p LEFT JOIN ecom.warehouse.dim_category c USING (category_key) WHERE c.category_key IS NULL
UNION ALL
SELECT format('profile of user {}', h.user_id), 'its row in dim_user', 'missing'
FROM ecom.warehouse.user_changes h LEFT JOIN ecom.warehouse.dim_user u USING (user_id) WHERE u.user_key IS NULL
UNION ALL
SELECT format('user {}', user_id), 'one row in dim_user', format('{} rows', count(*))
FROM ecom.warehouse.dim_user GROUP BY user_id HAVING count(*) > 1
UNION ALL
SELECT format('product {}', product_id), 'one row in dim_product', format('{} rows', count(*))
FROM ecom.warehouse.dim_product GROUP BY product_id HAVING count(*) > 1
UNION ALL
SELECT format('category {}', category), 'one row in dim_category', format('{} rows', count(*))
FROM ecom.warehouse.dim_category GROUP BY category HAVING count(*) > 1
