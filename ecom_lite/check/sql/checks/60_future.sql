-- description: Nothing is dated in the future: more than a day ahead is refused as a dead letter (an hour is left for clocks that differ).
-- left: rows dated in the future
-- right: 0
-- severity: error
WITH bound AS (
    SELECT clock_timestamp() + INTERVAL '25 hours' AS latest
)
SELECT 'fact_sales' AS "table", order_id AS id, ordered_at AS at FROM warehouse.fact_sales WHERE ordered_at > (SELECT latest FROM bound)
UNION ALL
SELECT 'fact_returns', order_id, returned_at FROM warehouse.fact_returns WHERE returned_at > (SELECT latest FROM bound)
UNION ALL
SELECT 'user_changes', user_id, changed_at FROM warehouse.user_changes WHERE changed_at > (SELECT latest FROM bound)
