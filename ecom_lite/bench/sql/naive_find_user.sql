SELECT user_key FROM warehouse.dim_user WHERE user_id = %(user_id)s::text
