"""Kafka -> Spark -> per-minute figures in PostgreSQL; and the same figures without Spark."""
