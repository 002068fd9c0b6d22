"""Measures the loader on this machine: each stage alone, the real thing, and what one would write on the first day."""
