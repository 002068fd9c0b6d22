INSERT INTO realtime.light_progress AS p (load_xid_below, watermark) VALUES (%(below)s, %(watermark)s)
ON CONFLICT (one_row) DO UPDATE SET load_xid_below = excluded.load_xid_below, watermark = greatest(p.watermark, excluded.watermark)
