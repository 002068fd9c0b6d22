-- What the newest snapshot is made of.
SELECT count(*), coalesce(sum(file_size_bytes), 0)::bigint, coalesce(sum(record_count) FILTER (WHERE t.table_name = 'sales'), 0)::bigint
FROM ducklake.ducklake_data_file f JOIN ducklake.ducklake_table t USING (table_id)
WHERE f.end_snapshot IS NULL AND t.end_snapshot IS NULL
