"""One's own events, from a file of JSON lines to the topic."""
