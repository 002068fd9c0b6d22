"""How things look to a person: the live view, the status, tables and log lines."""
