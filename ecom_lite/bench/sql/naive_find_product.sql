SELECT product_key FROM warehouse.dim_product WHERE product_id = %(product_id)s::text
