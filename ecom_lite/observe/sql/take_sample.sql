-- One row: what the database knows of the run by itself, and what the run has measured. Costs what was loaded since the row before. That
-- is not the newest by its time where the clock was put back.
WITH before AS (
    SELECT max(newest_batch) AS newest_batch FROM ops.health_samples WHERE at > now() - interval '1 minute'
), batches AS (
    SELECT batch_id, records, greatest(extract(epoch FROM loaded_at - oldest_broker_time) * 1000, 0) AS delay_ms
    FROM ops.load_batches
    WHERE batch_id > coalesce((SELECT newest_batch FROM before), 0) AND loaded_at > now() - interval '1 minute' AND records > 0
), ranked AS (
    SELECT *, sum(records) OVER (ORDER BY delay_ms) AS up_to, sum(records) OVER () AS total FROM batches
)
INSERT INTO ops.health_samples (
    sent, faults, loaded, newest_batch, events, delay_p50_ms, delay_p95_ms, delay_p99_ms, partitions, parts, memory, disk, stream
)
SELECT (SELECT coalesce(sum(events), 0) FROM ops.sent_ledger),
       (SELECT coalesce(sum(events), 0) FROM ops.sent_faults),
       (SELECT coalesce(sum(facts + duplicates + other + dead - further_lines), 0) FROM ops.consumer_offsets),
       coalesce(max(batch_id), (SELECT newest_batch FROM before)),
       coalesce(sum(records), 0),
       min(delay_ms) FILTER (WHERE up_to >= 0.50 * total),
       min(delay_ms) FILTER (WHERE up_to >= 0.95 * total),
       min(delay_ms) FILTER (WHERE up_to >= 0.99 * total),
       %(partitions)s, %(parts)s, %(memory)s, %(disk)s, %(stream)s
FROM ranked
