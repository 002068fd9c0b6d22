-- From where (null: from the beginning) and up to where, exclusive: every transaction below the cut is finished.
SELECT
    (SELECT load_xid_below FROM realtime.light_progress) AS since,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS below
