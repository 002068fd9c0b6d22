"""A tool that breaks the loader on purpose and counts afterwards: `python -m ecom_lite.harness --rounds 20 --seed 1`."""
