-- Further sources: topics beside kafka.topic, each with a number, so that a fact says by one integer which partition it came by.
CREATE TABLE ops.sources (
    number        integer GENERATED ALWAYS AS IDENTITY (MAXVALUE 2000) PRIMARY KEY,
    topic         text NOT NULL UNIQUE,
    since         timestamptz NOT NULL DEFAULT now()
);
GRANT INSERT ON ops.sources TO ecom_loader;

COMMENT ON TABLE ops.sources IS 'The topics that were ever loaded as a further source ([events.NAME]). The topic of kafka.topic has no row: its number is 0.';
COMMENT ON COLUMN ops.sources.number IS 'In a source_partition it stands for the topic: source_partition = number x 1,000,000 + the partition.';
COMMENT ON COLUMN ops.sources.topic IS 'The topic, as in ops.consumer_offsets.';
COMMENT ON COLUMN ops.sources.since IS 'When a loader first read it.';
COMMENT ON COLUMN warehouse.fact_sales.source_partition IS 'Partition of the record that it came by; of a further source 1,000,000 x its number (ops.sources) more.';
COMMENT ON COLUMN warehouse.fact_returns.source_partition IS 'Partition of the record that it came by; of a further source 1,000,000 x its number (ops.sources) more.';
COMMENT ON COLUMN warehouse.user_changes.source_partition IS 'Partition of the record that it came by; of a further source 1,000,000 x its number (ops.sources) more.';
COMMENT ON COLUMN ops.repeated_lines.partition IS 'As a source_partition: its loader alone writes the row.';
COMMENT ON COLUMN ops.load_batches.offsets IS 'By partition [from, to); topic/partition of a further source.';
