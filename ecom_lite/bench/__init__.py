"""Measures the loader on this machine: each stage alone, the real loader, and a row-by-row baseline."""
