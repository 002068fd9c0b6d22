-- What Spark's per-minute query does, over time: of the moment only it was known to `status` and the metrics.
ALTER TABLE ops.health_samples ADD COLUMN stream jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN ops.health_samples.stream IS 'What Spark''s per-minute query did, as {"rows_per_s": 812.5, "state_rows": 40210, "late_rows": 0, "watermark_lag_s": 121, "phases_ms": {"addBatch": 310, "walCommit": 20}}; {} without Spark.';

-- Other rates make all sums void, those of the last days (0038) and of the minutes (0052) too. What is summed up already is not in the new
-- tables: the next pass takes all facts in anew, as after other rates.
CREATE OR REPLACE FUNCTION realtime.forget_sums() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE realtime.rolled SET load_xid_below = 0, lines = 0, orders = 0, units = 0, revenue = 0;
    DELETE FROM realtime.rolled_categories;
    DELETE FROM realtime.rolled_products;
    DELETE FROM realtime.rolled_customers;
    DELETE FROM realtime.rolled_days;
    DELETE FROM realtime.recent_sales;
    DELETE FROM realtime.recent_products;
    DELETE FROM realtime.minutes_in_all;
    DELETE FROM realtime.minutes_of_returns;
    DELETE FROM realtime.returns_waiting;
    RETURN NULL;
END $$;
UPDATE realtime.rolled SET load_xid_below = 0, lines = 0, orders = 0, units = 0, revenue = 0;
DELETE FROM realtime.rolled_categories;
DELETE FROM realtime.rolled_products;
DELETE FROM realtime.rolled_customers;
DELETE FROM realtime.rolled_days;
DELETE FROM realtime.recent_sales;
DELETE FROM realtime.recent_products;
