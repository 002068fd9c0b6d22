INSERT INTO warehouse.dim_{attribute} ("{attribute}")
SELECT n.member FROM unnest(%(members)s::text[]) AS n (member)
WHERE NOT EXISTS (SELECT FROM warehouse.dim_{attribute} d WHERE d."{attribute}" = n.member)
ON CONFLICT DO NOTHING
