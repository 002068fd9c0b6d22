-- From where (null: from the beginning) and up to where, exclusive: every transaction below the cut is finished. The watermark is that of sums
-- over facts below an earlier cut.
SELECT
    (SELECT load_xid_below FROM realtime.light_progress) AS since,
    ops.load_order_cut() AS below,
    (SELECT watermark FROM realtime.rolled) AS watermark
