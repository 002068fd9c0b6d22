-- A past of %(days)s days: minutes of seven categories, returns, batches of the loader (three days of them at most), other tables' rows.
INSERT INTO realtime.minutes_by_currency (window_start, category, currency, revenue, orders, lines, units)
SELECT date_trunc('minute', %(now)s::timestamptz) - minute * interval '1 minute', 'category ' || c, 'USD', 10, 1, 2, 3
FROM generate_series(1, %(days)s * 1440) AS minute, generate_series(1, 7) AS c;
INSERT INTO warehouse.fact_returns (order_id, product_id, kind, quantity, reason, returned_at, source_partition, source_offset, load_xid)
SELECT 'o' || n, '1', 'order_returned', 1, '', %(now)s::timestamptz - (%(days)s * %(returns)s - n) * (interval '1 day' / %(returns)s), 0, n, 1
FROM generate_series(1, %(days)s * %(returns)s) AS n;
INSERT INTO ops.load_batches (loaded_at, records, facts, duplicates, other, dead, offsets)
SELECT %(now)s::timestamptz - (least(%(days)s, 3) * 86400 - n) * interval '1 second', 10, 9, 0, 1, 0, '{}'
FROM generate_series(1, least(%(days)s, 3) * 86400) AS n;
INSERT INTO ops.dbt_runs (trigger, started_at, finished_at, status, load_xid_below)
SELECT 'schedule', %(now)s::timestamptz - n * interval '5 minutes', %(now)s::timestamptz - n * interval '5 minutes', 'success', 1
FROM generate_series(1, %(days)s * 288) AS n;
INSERT INTO ops.gaps (topic, partition, first_offset, last_offset, found_at)
SELECT 't', 0, n, n, %(now)s::timestamptz - interval '2 days' FROM generate_series(1, %(days)s) AS n;
