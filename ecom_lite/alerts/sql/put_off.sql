UPDATE ops.alert_outbox SET attempts = attempts + 1, not_before = %(not_before)s, error = %(error)s
WHERE outlet = %(outlet)s AND change_id = ANY(%(changes)s)
