"""The lake: what of the warehouse and of the topic is kept as open files."""
