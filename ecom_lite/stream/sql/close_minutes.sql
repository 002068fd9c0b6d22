DELETE FROM realtime.open_minutes WHERE window_start <= %(watermark)s::timestamptz - INTERVAL '1 minute'
