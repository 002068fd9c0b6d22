DELETE FROM realtime.open_orders WHERE window_start <= %(watermark)s::timestamptz - INTERVAL '1 minute'
