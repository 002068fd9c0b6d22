SELECT c.change_id, c.at, c.rule, c.title, c.severity, c.after, c.since, c.value, c.unit, c.told, c.what_to_do, c.board, o.attempts
FROM ops.alert_outbox o JOIN ops.alert_changes c USING (change_id)
WHERE o.outlet = %(outlet)s AND o.not_before <= %(now)s
ORDER BY c.change_id
LIMIT %(most)s
