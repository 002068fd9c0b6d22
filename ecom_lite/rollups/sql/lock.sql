-- One pass at a time: the second one waits, and sees what the first has taken in. Up to where: every transaction below is finished.
SELECT r.load_xid_below, ops.load_order_cut() FROM realtime.rolled r FOR UPDATE
