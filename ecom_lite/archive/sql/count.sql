SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata($files)
