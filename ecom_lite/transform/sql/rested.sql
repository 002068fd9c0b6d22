-- The bounds of what waits for the marts, where the newest run ended well and the marts have rested since: no row otherwise.
SELECT d.load_xid_below AS taken, ops.load_order_cut() AS below
FROM (SELECT * FROM ops.dbt_runs ORDER BY run_id DESC LIMIT 1) d
WHERE d.status IN ('success', 'tests failed')
  AND now() >= d.finished_at + greatest(%(least_s)s, %(times)s * extract(epoch FROM d.finished_at - d.started_at)) * interval '1 second';
