-- Tables with at least so many files of such a size in one partition: worth a merge.
SELECT DISTINCT t.table_name
FROM ducklake.ducklake_data_file f JOIN ducklake.ducklake_table t USING (table_id)
WHERE f.end_snapshot IS NULL AND t.end_snapshot IS NULL AND f.file_size_bytes >= %(least)s AND f.file_size_bytes < %(most)s
GROUP BY t.table_name, regexp_replace(f.path, '[^/]*$', '')
HAVING count(*) >= %(files)s
