UPDATE ops.consumer_offsets
SET next_offset = %(beginning)s, lost = lost + (%(beginning)s - next_offset), updated_at = now()
WHERE topic = %(topic)s AND partition = %(partition)s AND next_offset = %(start)s AND epoch = %(epoch)s
