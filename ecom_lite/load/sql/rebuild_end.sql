UPDATE ops.rebuilds SET finished_at = now(), records = %(records)s WHERE finished_at IS NULL
