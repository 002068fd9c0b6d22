-- The loaders whose open transactions hold these partitions: who has locked or changed a row stands in its xmax.
SELECT o.topic, array_agg(o.partition ORDER BY o.partition), a.pid, coalesce(host(a.client_addr), 'the same machine'),
       extract(epoch FROM clock_timestamp() - a.state_change)
FROM ops.consumer_offsets o
JOIN unnest(%(topics)s::text[], %(partitions)s::integer[]) AS n (topic, partition) USING (topic, partition)
JOIN pg_stat_activity a ON a.backend_xid = o.xmax
GROUP BY o.topic, a.pid, a.client_addr, a.state_change
ORDER BY 1, 2
