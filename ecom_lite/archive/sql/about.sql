-- What a file says of itself.
SELECT max(decode(value)) FILTER (WHERE decode(key) = $key) FROM parquet_kv_metadata($file)
