-- How many rows these files have, and how many bytes uncompressed.
SELECT (SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata($files)),
       (SELECT sum(total_uncompressed_size)::BIGINT FROM parquet_metadata($files))
