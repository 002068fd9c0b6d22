-- A record may be a whole order, of many lines: each line has an outcome of its own, the record has one offset.
ALTER TABLE ops.consumer_offsets ADD COLUMN further_lines bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN ops.consumer_offsets.further_lines IS 'Lines beyond the first of each record: a whole order has several.';
ALTER TABLE ops.consumer_offsets DROP CONSTRAINT consumer_offsets_check;
ALTER TABLE ops.consumer_offsets ADD CHECK (next_offset = first_offset + facts + duplicates + other + dead - further_lines + markers + lost);

-- Where [events] makes an event of what Spark cannot read, the loader writes what it has judged to a topic for Spark. When that begins,
-- or ends, Spark counts from there on, and all that was loaded until then is taken from the facts.
CREATE TABLE realtime.minutes_source (
    one_row       boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    generation    integer NOT NULL,
    topic         text NOT NULL,
    offsets       jsonb NOT NULL
);
COMMENT ON TABLE realtime.minutes_source IS 'What Spark counts minutes from, if that has ever changed.';
COMMENT ON COLUMN realtime.minutes_source.one_row IS 'Always true: the table has one row at most.';
COMMENT ON COLUMN realtime.minutes_source.generation IS 'How often it has changed: names the checkpoint.';
COMMENT ON COLUMN realtime.minutes_source.topic IS 'The topic, or empty after a run without Spark: then it must be settled anew.';
COMMENT ON COLUMN realtime.minutes_source.offsets IS 'Where in the topic Spark began to count, by partition.';
CREATE TABLE realtime.minutes_before (LIKE realtime.sales_per_minute INCLUDING ALL);
COMMENT ON TABLE realtime.minutes_before IS 'What was counted before that: Spark''s figures come on top.';
GRANT SELECT, INSERT, UPDATE, DELETE ON realtime.minutes_source, realtime.minutes_before TO ecom_stream;
GRANT SELECT ON realtime.minutes_source, realtime.minutes_before TO ecom_reader;
GRANT SELECT ON ops.consumer_offsets TO ecom_stream;
GRANT USAGE ON SCHEMA realtime TO ecom_loader;
GRANT SELECT ON realtime.minutes_source TO ecom_loader;
