"""Pages of docs/ that are rendered from what the program itself reads: `python -m tests.unit.reference`."""
