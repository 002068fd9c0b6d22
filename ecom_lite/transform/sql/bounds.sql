SELECT coalesce((SELECT max(load_xid_below) FROM ops.dbt_runs WHERE status IN ('success', 'tests failed')), 0) AS taken,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS below;
