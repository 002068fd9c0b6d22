INSERT INTO ops.alert_evaluator (up_since, at, disk_free_bytes, disk_total_bytes) VALUES (%(up_since)s, %(now)s, %(free)s, %(total)s)
ON CONFLICT (one_row) DO UPDATE
SET up_since = excluded.up_since, at = excluded.at, disk_free_bytes = excluded.disk_free_bytes, disk_total_bytes = excluded.disk_total_bytes
