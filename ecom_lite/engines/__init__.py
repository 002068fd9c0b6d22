"""Servers that we start and own: child processes, free ports, the Java runtime, the jar cache, Kafka, PostgreSQL."""
