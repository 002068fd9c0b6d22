-- The columns of each table and view that the reader may read, with what is said of them. Small tables are to be counted; the rows
-- of large ones are an estimate: what was counted last, or what the statistics of writes say. Those begin anew after a crash of the
-- server, and then know only what came since: where they say less than the size allows, the size is believed.
SELECT n.nspname AS schema, c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       c.relkind <> 'v' AND NOT a.attnotnull AS nullable,
       CASE WHEN c.relkind = 'v' THEN NULL
            WHEN c.relkind <> 'p' AND pg_relation_size(c.oid) = 0 THEN 0
            WHEN c.relkind <> 'p' AND pg_relation_size(c.oid) < 1048576 THEN -1  -- to be counted
            WHEN greatest(s.n_live_tup, c.reltuples) > pg_relation_size(c.oid) / 2000
                THEN greatest(s.n_live_tup, c.reltuples, 0)::bigint
            ELSE pg_relation_size(c.oid) / 200  -- bytes of a row, about
       END AS rows,
       obj_description(n.oid, 'pg_namespace') AS schema_comment, obj_description(c.oid, 'pg_class') AS table_comment,
       col_description(c.oid, a.attnum) AS comment
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE n.nspname = ANY(%(schemas)s::text[]) AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY array_position(%(schemas)s::text[], n.nspname::text), c.relkind = 'v', c.relname, a.attnum
