"""Kafka -> Spark -> per-minute figures in PostgreSQL and the raw events as Parquet; and the same figures without Spark."""
