-- description: The figures by minute (realtime.orders_per_minute and its like) are the facts, up to the cut of the kept sums.
-- left: by minute
-- right: facts
-- severity: error
-- All of them by their sums; minute by minute, with their distinct orders, those of the newest hour.
WITH kept AS (
    SELECT r.load_xid_below AS cut, r.watermark, (SELECT coalesce(sum(c.lines), 0) FROM realtime.rolled_categories c) AS lines,
           (SELECT coalesce(sum(c.revenue), 0) FROM realtime.rolled_categories c) AS revenue
    FROM realtime.rolled r
), bounds AS (
    SELECT least(kept.watermark, (SELECT max(window_start) FROM realtime.minutes_in_all)) - interval '1 hour' AS since,
           -- Of what is older the countries are not kept.
           date_bin('1 hour', now(), 'epoch') - interval '9 days' + interval '1 hour' AS countries_since
    FROM kept
), sold AS MATERIALIZED (
    SELECT date_bin('1 minute', ordered_at, 'epoch') AS window_start, count(*) AS lines, count(DISTINCT order_id) AS orders,
           sum(quantity) AS units, coalesce(sum(revenue), 0) AS revenue
    FROM warehouse.sales
    WHERE ordered_at >= (SELECT date_bin('1 minute', since, 'epoch') FROM bounds) AND load_xid < (SELECT cut FROM kept)
    GROUP BY 1
), returned AS MATERIALIZED (
    SELECT date_bin('1 minute', r.returned_at, 'epoch') AS window_start, r.kind, count(*) AS lines, sum(r.quantity) AS units,
           coalesce(sum(r.quantity * s.unit_price), 0) AS amount
    FROM warehouse.fact_returns r
    LEFT JOIN warehouse.dim_product p USING (product_id)
    LEFT JOIN warehouse.sales s ON s.order_id = r.order_id AND s.product_key = p.product_key AND s.load_xid < (SELECT cut FROM kept)
    WHERE r.returned_at >= (SELECT date_bin('1 minute', since, 'epoch') FROM bounds) AND r.load_xid < (SELECT cut FROM kept)
    GROUP BY 1, 2
), differ AS (
    SELECT 3 AS place, window_start FROM sold s
    FULL JOIN (SELECT * FROM realtime.orders_per_minute
               WHERE window_start >= (SELECT date_bin('1 minute', since, 'epoch') FROM bounds)) m USING (window_start)
    WHERE (s.lines, s.orders, s.units, s.revenue) IS DISTINCT FROM (m.lines, m.orders, m.units, m.revenue)
    UNION ALL
    SELECT 4, window_start FROM (SELECT * FROM sold WHERE window_start >= (SELECT countries_since FROM bounds)) s
    FULL JOIN (SELECT window_start, sum(lines) AS lines, sum(orders) AS orders, sum(units) AS units, sum(revenue) AS revenue
               FROM realtime.country_per_minute
               WHERE window_start >= (SELECT greatest(date_bin('1 minute', since, 'epoch'), countries_since) FROM bounds)
               GROUP BY window_start) m USING (window_start)
    WHERE (s.lines, s.orders, s.units, s.revenue) IS DISTINCT FROM (m.lines, m.orders, m.units, m.revenue)
    UNION ALL
    SELECT 6, window_start FROM returned s
    FULL JOIN (SELECT * FROM realtime.returns_per_minute
               WHERE window_start >= (SELECT date_bin('1 minute', since, 'epoch') FROM bounds)) m USING (window_start, kind)
    WHERE (s.lines, s.units, s.amount) IS DISTINCT FROM (m.lines, m.units, m.amount)
), in_all AS (
    SELECT coalesce(sum(lines), 0) AS lines, coalesce(sum(revenue), 0) AS revenue FROM realtime.orders_per_minute
)
SELECT line, "left", "right", (SELECT 'the first: ' || to_char(min(d.window_start), 'YYYY-MM-DD HH24:MI') FROM differ d WHERE d.place = l.place) AS note
FROM kept CROSS JOIN in_all CROSS JOIN LATERAL (VALUES
    (1, 'order lines by minute = by category', to_jsonb(in_all.lines), to_jsonb(kept.lines)),
    (2, 'revenue by minute = by category', to_jsonb(in_all.revenue), to_jsonb(kept.revenue)),
    (3, 'minutes of the newest hour that are not the facts', to_jsonb((SELECT count(*) FROM differ WHERE place = 3)), to_jsonb(0)),
    (4, 'of them by country', to_jsonb((SELECT count(*) FROM differ WHERE place = 4)), to_jsonb(0)),
    (5, 'returns by minute = returns', (SELECT to_jsonb(coalesce(sum(m.lines), 0)) FROM realtime.returns_per_minute m),
     (SELECT to_jsonb(count(*)) FROM warehouse.fact_returns r WHERE r.load_xid < kept.cut)),
    (6, 'minutes of the newest hour whose returns are not the facts', to_jsonb((SELECT count(*) FROM differ WHERE place = 6)), to_jsonb(0))
) AS l(place, line, "left", "right")
ORDER BY place
