"""Ad-hoc SQL by DuckDB over the warehouse, and the reconciliation that must close."""
