INSERT INTO warehouse.dim_category (category) SELECT 'Category ' || generate_series(1, 12)
