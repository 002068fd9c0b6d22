-- Whether all that is loaded is in the lake, by the newest load that its catalogue knows.
WITH newest AS (
    SELECT coalesce(max(s.max_value::bigint), 0) AS load_xid
    FROM ducklake.ducklake_table_column_stats s
    JOIN ducklake.ducklake_column c ON c.table_id = s.table_id AND c.column_id = s.column_id AND c.end_snapshot IS NULL
    JOIN ducklake.ducklake_table t ON t.table_id = s.table_id AND t.end_snapshot IS NULL
    WHERE t.table_name IN ('sales', 'returns', 'customers') AND c.column_name = 'load_xid'
)
SELECT NOT EXISTS (SELECT FROM warehouse.fact_sales WHERE load_xid > (SELECT load_xid FROM newest))
   AND NOT EXISTS (SELECT FROM warehouse.fact_returns WHERE load_xid > (SELECT load_xid FROM newest))
   AND NOT EXISTS (SELECT FROM warehouse.user_changes WHERE load_xid > (SELECT load_xid FROM newest))
