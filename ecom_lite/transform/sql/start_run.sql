-- The cut: every transaction below the oldest one in progress is finished, so no fact below it can appear later.
INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below)
VALUES (%(trigger)s, now(), 'running', ops.load_order_cut())
RETURNING run_id, load_xid_below;
