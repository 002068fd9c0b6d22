-- The loaders whose open transactions hold these partitions: who has locked or changed a row stands in its xmax.
SELECT array_agg(o.partition ORDER BY o.partition), a.pid, coalesce(host(a.client_addr), 'the same machine'),
       extract(epoch FROM clock_timestamp() - a.state_change)
FROM ops.consumer_offsets o
JOIN pg_stat_activity a ON a.backend_xid = o.xmax
WHERE o.topic = %(topic)s AND o.partition = ANY(%(partitions)s::integer[])
GROUP BY a.pid, a.client_addr, a.state_change
ORDER BY 1
