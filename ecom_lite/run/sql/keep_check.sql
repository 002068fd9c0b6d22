INSERT INTO ops.check_results (name, state, severity, at, told) VALUES (%(name)s, %(state)s, %(severity)s, %(at)s, %(told)s)
ON CONFLICT (name) DO UPDATE SET state = excluded.state, severity = excluded.severity, at = excluded.at, told = excluded.told
