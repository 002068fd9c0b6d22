-- Of the run that began at %(began)s (epoch seconds): good dbt runs, and events loaded a second, from the broker's time of the
-- first one to the last commit.
SELECT (SELECT count(*) FROM ops.dbt_runs WHERE started_at >= to_timestamp(%(began)s) AND status <> 'error') AS dbt_runs,
       coalesce(sum(records) / nullif(extract(epoch FROM max(loaded_at) - min(oldest_broker_time)), 0), 0)::bigint AS load_rate
FROM ops.load_batches
WHERE loaded_at >= to_timestamp(%(began)s);
