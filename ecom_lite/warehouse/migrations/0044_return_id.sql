-- A line may come back in parts: what is one taking-back is named by its event. Until here the second one of a line counted as a repeat.
-- Rows that are there have their time for it, as events that name nothing.
ALTER TABLE warehouse.fact_returns ADD COLUMN return_id text NOT NULL DEFAULT '';
UPDATE warehouse.fact_returns SET return_id = to_char(returned_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
ALTER TABLE warehouse.fact_returns DROP CONSTRAINT fact_returns_pkey, ADD PRIMARY KEY (order_id, product_id, kind, return_id);
COMMENT ON TABLE warehouse.fact_returns IS 'One row per cancellation or return of an order line, or of some of its units. The line stays in fact_sales.';
COMMENT ON COLUMN warehouse.fact_returns.return_id IS 'Which one of its line and kind: the event_id, or without one the event time. What comes with the same again is a duplicate.';

-- The marts tell them apart: the next run builds them anew.
UPDATE ops.reporting_currency SET rates_version = rates_version + 1
WHERE EXISTS (SELECT FROM ops.dbt_runs WHERE status IN ('success', 'tests failed'));
