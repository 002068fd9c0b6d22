-- What dbt has made and we may read; what a run of dbt is about to swap in or out is not meant. (Of a table that was dropped since our
-- snapshot, as its successor takes the name, the privilege is null.)
SELECT c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'marts' AND c.relkind IN ('r', 'p', 'v') AND c.relname NOT LIKE '%\_\_dbt\_%'
      AND has_table_privilege(c.oid, 'SELECT') IS NOT FALSE
ORDER BY c.relname
