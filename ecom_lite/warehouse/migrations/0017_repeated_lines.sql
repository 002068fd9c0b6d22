-- A line that was sent again with another time: the facts keep the first, and Spark, whose memory of it may have gone, may have counted
-- both. Per minute of the later time, so that the count can tell such a difference from a wrong figure.
CREATE TABLE ops.repeated_lines (
    window_start  timestamptz NOT NULL,
    partition     integer NOT NULL,
    lines         bigint NOT NULL,
    PRIMARY KEY (window_start, partition)
);
GRANT SELECT ON ops.repeated_lines TO ecom_reader;
GRANT SELECT, INSERT, UPDATE ON ops.repeated_lines TO ecom_loader;

COMMENT ON TABLE ops.repeated_lines IS 'Order lines that came again with another time than the fact has: duplicates, which Spark''s minutes may hold once more.';
COMMENT ON COLUMN ops.repeated_lines.window_start IS 'The minute of the time that was not kept (UTC).';
COMMENT ON COLUMN ops.repeated_lines.partition IS 'Of the topic: its loader alone writes the row.';
COMMENT ON COLUMN ops.repeated_lines.lines IS 'How many.';
