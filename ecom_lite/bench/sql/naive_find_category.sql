SELECT category_key FROM warehouse.dim_category WHERE category = %(category)s
