-- In one order for all loaders. Whoever has a row has written what the next statement must see.
SELECT FROM warehouse.dim_user WHERE user_id = ANY(%(user_ids)s::text[]) ORDER BY user_id FOR NO KEY UPDATE
