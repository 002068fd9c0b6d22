-- What is no UTF-8 stands there as DuckDB writes bytes, with \x escapes.
CREATE OR REPLACE VIEW memory.main.lake AS
SELECT topic, partition, "offset", broker_time, coalesce(TRY(decode(key)), key::VARCHAR) AS key,
       coalesce(TRY(decode(value)), value::VARCHAR) AS value, headers, date
FROM read_parquet([{files}], hive_partitioning = true)
