-- Take a partition over: the raised epoch makes the compare of any former owner fail.
INSERT INTO ops.consumer_offsets AS o (topic, partition, next_offset, epoch, first_offset)
VALUES (%(topic)s, %(partition)s, %(beginning)s, 1, %(beginning)s)
ON CONFLICT (topic, partition) DO UPDATE SET epoch = o.epoch + 1
RETURNING next_offset, epoch
