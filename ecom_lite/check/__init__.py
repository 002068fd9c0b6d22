"""DuckDB over the warehouse: ad-hoc SQL, and the reconciliation that must close."""
