-- Each fact comes from an offset that carries its key, and says what the record there says.
SELECT format('order {} product {}, from {}[{}]', f.order_id, p.product_id, f.source_partition, f.source_offset),
       coalesce(concat_ws(' ', j.order_id, j.product_id, j.quantity, j.price, j.list_price, j.revenue, j.currency, j.user_id, j.category, j.moment), 'no such line'),
       concat_ws(' ', f.order_id, p.product_id, f.quantity, coalesce(f.exact_price, f.unit_price), f.list_price, coalesce(f.exact_price * f.quantity, f.revenue), f.currency, u.user_id, c.category, f.ordered_at)
FROM ecom.warehouse.fact_sales f
LEFT JOIN ecom.warehouse.dim_user u ON u.user_key = f.user_key
LEFT JOIN ecom.warehouse.dim_product p ON p.product_key = f.product_key
LEFT JOIN ecom.warehouse.dim_category c ON c.category_key = f.category_key
LEFT JOIN ecom.warehouse.dim_date d ON d.date_key = f.date_key
LEFT JOIN judged j ON j.partition = f.source_partition AND j."offset" = f.source_offset AND j.kind = 'order' AND j.product_id = p.product_id
WHERE (j.order_id, j.product_id, j.quantity, j.price, j.list_price, j.revenue, j.currency, j.user_id, j.category, j.moment, j.moment::DATE)
      IS DISTINCT FROM (f.order_id, p.product_id, f.quantity, coalesce(f.exact_price, f.unit_price), f.list_price, coalesce(f.exact_price * f.quantity, f.revenue), f.currency, u.user_id, c.category, f.ordered_at, d.date)
ORDER BY 1
