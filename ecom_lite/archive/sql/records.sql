-- The records of one file, in order; -1 is no time.
SELECT "offset", coalesce(epoch_ms(broker_time), -1), key, value,
       list_transform(headers, header -> header.name), list_transform(headers, header -> header.value)
FROM read_parquet($file)
ORDER BY "offset"
