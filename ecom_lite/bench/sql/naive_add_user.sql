INSERT INTO warehouse.dim_user (user_id) VALUES (%(user_id)s) RETURNING user_key
