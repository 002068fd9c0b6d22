-- An alert is told in the order of its changes: while an earlier one is put off, later ones of its rule wait behind it.
SELECT c.change_id, c.at, c.rule, c.title, c.severity, c.after, c.since, c.value, c.unit, c.told, c.what_to_do, c.board, o.attempts
FROM ops.alert_outbox o JOIN ops.alert_changes c USING (change_id)
WHERE o.outlet = %(outlet)s AND o.not_before <= %(now)s
  AND NOT EXISTS (
    SELECT FROM ops.alert_outbox e JOIN ops.alert_changes b USING (change_id)
    WHERE e.outlet = o.outlet AND b.rule = c.rule AND e.change_id < o.change_id AND e.not_before > %(now)s
  )
ORDER BY c.change_id
LIMIT %(most)s
