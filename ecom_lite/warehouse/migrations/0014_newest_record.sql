-- Proof that a topic is the one that was loaded, where the broker gives no topic ids: the newest record loaded of each partition.
ALTER TABLE ops.consumer_offsets
    ADD COLUMN newest_offset bigint,     -- null: none yet, or the row is older than these columns
    ADD COLUMN newest_time timestamptz;

COMMENT ON COLUMN ops.consumer_offsets.newest_offset IS 'The newest record that was loaded. Where the broker gives no topic ids, another time of the record there tells a topic that was made anew.';
COMMENT ON COLUMN ops.consumer_offsets.newest_time IS 'Its time on the broker.';
