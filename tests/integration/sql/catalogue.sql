-- The columns of each table and view, in the order in which they were made, with what is said of them. Columns of a view are
-- never said to be null.
SELECT n.nspname AS schema, c.relname AS "table", c.relkind::text AS kind, a.attname AS name,
       format_type(a.atttypid, a.atttypmod) AS type, c.relkind <> 'v' AND NOT a.attnotnull AS nullable,
       obj_description(n.oid, 'pg_namespace') AS schema_comment, obj_description(c.oid, 'pg_class') AS table_comment,
       col_description(c.oid, a.attnum) AS comment
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s::text[]) AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY array_position(%(schemas)s::text[], n.nspname::text), c.relkind <> 'r', c.relname, a.attnum
