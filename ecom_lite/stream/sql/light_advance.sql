INSERT INTO realtime.light_progress (load_xid_below) VALUES (%(below)s)
ON CONFLICT (one_row) DO UPDATE SET load_xid_below = excluded.load_xid_below
