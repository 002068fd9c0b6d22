"""One's own events: a file of them to the topic, and what would become of them."""
