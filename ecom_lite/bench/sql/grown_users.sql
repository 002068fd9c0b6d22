INSERT INTO warehouse.dim_user (user_id) SELECT generate_series(1, %(customers)s)
