"""Brokers of other people's code, to see what our clients take for granted."""
