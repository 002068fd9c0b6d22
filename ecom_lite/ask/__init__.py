"""Questions of people: SQL by DuckDB over the warehouse, at a prompt and in one go, what tables there are, and psql."""
