"""simulate -> Kafka, paced; and the ledger of what was sent."""
