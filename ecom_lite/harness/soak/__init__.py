"""Hours of a whole run, looked at every ten seconds: what grows."""
