"""The lake: the facts as Parquet files that anyone's DuckDB reads, kept up by load order."""
