INSERT INTO ops.alerts (rule, title, severity, state, since, evaluated_at, value, unit, told, problem, what_to_do, board)
VALUES (%(rule)s, %(title)s, %(severity)s, %(state)s, %(since)s, %(now)s, %(value)s, %(unit)s, %(told)s, %(problem)s, %(what_to_do)s, %(board)s)
ON CONFLICT (rule) DO UPDATE
SET title = excluded.title, severity = excluded.severity, state = excluded.state, since = excluded.since,
    evaluated_at = excluded.evaluated_at, value = excluded.value, unit = excluded.unit, told = excluded.told,
    problem = excluded.problem, what_to_do = excluded.what_to_do, board = excluded.board
