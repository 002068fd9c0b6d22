-- The lake's tables and their columns, as the catalogue of DuckLake has them. What people ask of the versions of orders is the view of the
-- newest ones, `orders`, which has their columns.
SELECT CASE t.table_name WHEN 'order_versions' THEN 'orders' ELSE t.table_name END AS table_name, c.column_name, c.column_type, c.nulls_allowed, coalesce(s.record_count, 0),
       coalesce(said.value, ''), coalesce(of_column.value, '')
FROM ducklake.ducklake_table t
JOIN ducklake.ducklake_column c ON c.table_id = t.table_id AND c.end_snapshot IS NULL
LEFT JOIN ducklake.ducklake_table_stats s ON s.table_id = t.table_id
LEFT JOIN ducklake.ducklake_tag said ON said.object_id = t.table_id AND said.key = 'comment' AND said.end_snapshot IS NULL
LEFT JOIN ducklake.ducklake_column_tag of_column
       ON of_column.table_id = t.table_id AND of_column.column_id = c.column_id AND of_column.key = 'comment' AND of_column.end_snapshot IS NULL
WHERE t.end_snapshot IS NULL AND NOT (t.table_name = 'order_versions' AND c.column_name = 'replaces')
ORDER BY t.table_id, c.column_order
