-- Files and bytes of the newest snapshot, snapshots, and the bytes of the catalogue.
SELECT (SELECT count(*) FROM ducklake.ducklake_data_file WHERE end_snapshot IS NULL),
       (SELECT coalesce(sum(file_size_bytes), 0)::bigint FROM ducklake.ducklake_data_file WHERE end_snapshot IS NULL),
       (SELECT count(*) FROM ducklake.ducklake_snapshot),
       (SELECT sum(pg_total_relation_size(format('ducklake.%I', tablename)))::bigint FROM pg_tables WHERE schemaname = 'ducklake')
