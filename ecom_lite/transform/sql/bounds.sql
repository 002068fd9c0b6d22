SELECT coalesce((SELECT max(load_xid_below) FROM ops.dbt_runs WHERE status IN ('success', 'tests failed')), 0) AS taken,
       ops.load_order_cut() AS below;
