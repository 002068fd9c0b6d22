"""What may stand on the topic, once: the event types, how they are read and written, and why a record is rejected."""
