"""Questions of people: SQL by DuckDB over the warehouse, what tables there are, and psql."""
