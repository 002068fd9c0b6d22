"""The raw archive: what came on the topics, byte by byte, as Parquet files whose names are its only memory."""
