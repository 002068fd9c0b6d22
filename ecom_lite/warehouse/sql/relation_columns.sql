-- The columns of the facts and of the views over them, and the dimensions' tables: what an attribute must not be called like.
SELECT c.relname, array_agg(a.attname::text)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
WHERE c.relnamespace = 'warehouse'::regnamespace AND (c.relname = ANY(%(relations)s::text[]) OR c.relname LIKE 'dim\_%%')
GROUP BY c.relname
