"""Kafka -> PostgreSQL, exactly once: decode (bytes -> rows or dead letters), write (one transaction), loader (the loop)."""
