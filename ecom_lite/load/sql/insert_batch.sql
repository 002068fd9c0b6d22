INSERT INTO ops.load_batches (records, facts, duplicates, other, dead, oldest_broker_time, newest_broker_time, offsets)
VALUES (%(records)s, %(facts)s, %(duplicates)s, %(other)s, %(dead)s, %(oldest)s, %(newest)s, %(offsets)s)
