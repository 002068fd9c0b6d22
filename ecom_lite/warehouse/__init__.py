"""The database everyone shares: schema migrations, roles and their passwords, connections."""
