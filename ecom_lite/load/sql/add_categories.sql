INSERT INTO warehouse.dim_category (category)
SELECT n.category FROM unnest(%(names)s::text[]) AS n (category)
WHERE NOT EXISTS (SELECT FROM warehouse.dim_category c WHERE c.category = n.category)
ON CONFLICT DO NOTHING
