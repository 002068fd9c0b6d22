-- What has become of every offset so far, what the shop's ledger says was sent, and the newest dbt run (NULL before the first).
-- A few rows: cheap enough for every second.
SELECT coalesce(sum(own), 0)::bigint        AS own,
       coalesce(sum(facts), 0)::bigint      AS facts,
       coalesce(sum(duplicates), 0)::bigint AS duplicates,
       coalesce(sum(other), 0)::bigint      AS other,
       coalesce(sum(dead), 0)::bigint       AS dead,
       coalesce(sum(lost), 0)::bigint       AS lost,
       (SELECT coalesce(sum(events), 0)::bigint FROM ops.sent_ledger) AS sent,
       (SELECT jsonb_build_object(
                   'run_id', run_id, 'trigger', trigger, 'status', status, 'finished_at', finished_at,
                   'succeeded_at', (SELECT finished_at FROM ops.dbt_runs WHERE status = 'success' ORDER BY run_id DESC LIMIT 1),
                   'seconds', round(extract(epoch FROM coalesce(finished_at, now()) - started_at), 1),
                   'tests_passed', tests_passed, 'tests_failed', tests_failed, 'message', message)
        FROM ops.dbt_runs ORDER BY run_id DESC LIMIT 1) AS dbt
FROM ops.consumer_offsets;
