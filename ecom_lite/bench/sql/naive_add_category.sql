INSERT INTO warehouse.dim_category (category) VALUES (%(category)s) RETURNING category_key
