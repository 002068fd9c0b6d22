"""How any room reaches Kafka: client settings, topics, offsets, and the producer that sends in batches."""
