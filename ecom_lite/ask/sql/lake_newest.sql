-- The newest load that the lake has, by its catalogue.
SELECT max(s.max_value::bigint) AS newest
FROM ducklake.ducklake_table_column_stats s
JOIN ducklake.ducklake_column c ON c.table_id = s.table_id AND c.column_id = s.column_id AND c.end_snapshot IS NULL
JOIN ducklake.ducklake_table t ON t.table_id = s.table_id AND t.end_snapshot IS NULL
WHERE t.table_name = 'sales' AND c.column_name = 'load_xid'
