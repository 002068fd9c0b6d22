-- Anti-join first: DO NOTHING alone would burn an identity value for every known user.
INSERT INTO warehouse.dim_user (user_id)
SELECT n.user_id FROM unnest(%(ids)s::text[]) AS n (user_id)
WHERE NOT EXISTS (SELECT FROM warehouse.dim_user u WHERE u.user_id = n.user_id)
ON CONFLICT DO NOTHING
