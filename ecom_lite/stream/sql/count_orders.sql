-- An order whose lines lie in two seconds of a minute was counted twice: of a minute that nothing can be added to any more, each id once.
UPDATE realtime.open_minutes m
SET orders = counted.orders
FROM (
    SELECT window_start, category, currency, count(DISTINCT id) AS orders
    FROM realtime.open_orders, unnest(ids) AS id
    WHERE window_start <= %(watermark)s::timestamptz - INTERVAL '1 minute'
    GROUP BY 1, 2, 3
) counted
WHERE m.window_start = counted.window_start AND m.category = counted.category AND m.currency = counted.currency
  AND m.orders <> counted.orders
