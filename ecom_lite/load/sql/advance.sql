-- Compare-and-set: only the owner that saw (next_offset, epoch) may account for the offsets that follow.
UPDATE ops.consumer_offsets
SET next_offset = %(end)s, own = own + %(own)s, facts = facts + %(facts)s, duplicates = duplicates + %(duplicates)s,
    other = other + %(other)s, dead = dead + %(dead)s, markers = markers + %(markers)s, updated_at = now()
WHERE topic = %(topic)s AND partition = %(partition)s AND next_offset = %(start)s AND epoch = %(epoch)s
