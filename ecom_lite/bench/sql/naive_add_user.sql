INSERT INTO warehouse.dim_user (user_id) VALUES (%(user_id)s::text) RETURNING user_key
