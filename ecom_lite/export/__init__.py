"""The simulated shop's events as a file, without a broker."""
