SELECT model, part, load_xid_below FROM ops.mart_cuts
