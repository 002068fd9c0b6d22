-- One text that differs once a table or a view that models read, or are, has other columns: a plan is then made anew.
SELECT md5(string_agg(concat_ws(' ', n.nspname, c.relname, c.relkind, a.attname, a.atttypid, a.atttypmod), ',' ORDER BY n.nspname, c.relname, a.attnum))
       || (SELECT coalesce(max(declared_at)::text, '') FROM ops.attributes)
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'v', 'p', 'm')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('warehouse', 'intermediate', 'marts')
