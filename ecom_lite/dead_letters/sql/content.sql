SELECT key, value, headers, error_class FROM ops.dead_letters WHERE topic = %(topic)s AND partition = %(partition)s AND "offset" = %(offset)s
