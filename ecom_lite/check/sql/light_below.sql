-- Without Spark the minutes are those of the facts below a cut.
SELECT coalesce((SELECT load_xid_below FROM realtime.light_progress), 9223372036854775807)
