-- What Spark's per-minute query does, over time: of the moment only it was known to `status` and the metrics.
ALTER TABLE ops.health_samples ADD COLUMN stream jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN ops.health_samples.stream IS 'What Spark''s per-minute query did, as {"rows_per_s": 812.5, "state_rows": 40210, "late_rows": 0, "watermark_lag_s": 121, "phases_ms": {"addBatch": 310, "walCommit": 20}}; {} without Spark.';
