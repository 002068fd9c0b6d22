-- The cancellations and returns of [since, below) added to their minutes, after the facts below the cut, and at the price paid. One whose order
-- line is not below it waits for it: `add` sees to that.
WITH fresh AS MATERIALIZED (
    SELECT r.order_id, r.product_id, r.kind, r.return_id, r.quantity, date_bin('1 minute', r.returned_at, 'epoch') AS window_start,
           paid.known, paid.unit_price
    FROM warehouse.fact_returns r
    LEFT JOIN LATERAL (
        SELECT true AS known, s.unit_price
        FROM warehouse.dim_product p JOIN warehouse.sales s USING (product_key)
        WHERE p.product_id = r.product_id AND s.order_id = r.order_id AND s.load_xid < %(below)s
        LIMIT 1
    ) paid ON true
    WHERE r.load_xid >= %(since)s AND r.load_xid < %(below)s
),
waiting AS (
    INSERT INTO realtime.returns_waiting (order_id, product_id, kind, return_id, window_start, units)
    SELECT order_id, product_id, kind, return_id, window_start, quantity FROM fresh WHERE known IS NULL
)
INSERT INTO realtime.minutes_of_returns AS r (window_start, kind, lines, units, amount)
SELECT window_start, kind, count(*), sum(quantity), coalesce(sum(quantity * unit_price), 0) FROM fresh GROUP BY window_start, kind
ON CONFLICT (window_start, kind) DO UPDATE
SET lines = r.lines + excluded.lines, units = r.units + excluded.units, amount = r.amount + excluded.amount
