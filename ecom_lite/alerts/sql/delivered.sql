DELETE FROM ops.alert_outbox WHERE outlet = %(outlet)s AND change_id = ANY(%(changes)s)
