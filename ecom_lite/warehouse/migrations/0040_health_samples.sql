-- How a run is, every few seconds: what the dashboards show of lag, rates, delay, memory and disk over time. Until now these were figures
-- of the moment only. One row a sample, thinned to one a minute after six hours and gone after a week: some 15,000 rows at most.
CREATE TABLE ops.health_samples (
    at            timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
    sent          bigint NOT NULL,
    faults        bigint NOT NULL,
    loaded        bigint NOT NULL,
    newest_batch  bigint,
    events        bigint NOT NULL DEFAULT 0,
    delay_p50_ms  double precision,
    delay_p95_ms  double precision,
    delay_p99_ms  double precision,
    partitions    jsonb NOT NULL DEFAULT '[]',
    parts         jsonb NOT NULL DEFAULT '{}',
    memory        jsonb NOT NULL DEFAULT '{}',
    disk          jsonb NOT NULL DEFAULT '{}'
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.health_samples TO ecom_stream;
GRANT SELECT ON ops.health_samples TO ecom_reader, ecom_dbt, ecom_loader;
GRANT SELECT ON ops.sent_ledger, ops.sent_faults, ops.load_batches TO ecom_stream;

CREATE VIEW ops.lag_by_partition AS
SELECT s.at, p.topic, p.partition, p.name, p.end_offset, p.next_offset, greatest(p.end_offset - p.next_offset, 0) AS lag
FROM ops.health_samples s
CROSS JOIN LATERAL jsonb_to_recordset(s.partitions)
    AS p(topic text, partition integer, name text, end_offset bigint, next_offset bigint);
GRANT SELECT ON ops.lag_by_partition TO ecom_reader, ecom_dbt, ecom_loader, ecom_stream;

-- A look at the last minutes must not read the micro-batches of two days.
CREATE INDEX stream_progress_at ON realtime.stream_progress (at);

COMMENT ON TABLE ops.health_samples IS 'How a run was, every 5 s; after six hours one row a minute, after seven days none. Without a run there are no new rows.';
COMMENT ON COLUMN ops.health_samples.at IS 'When the sample was taken.';
COMMENT ON COLUMN ops.health_samples.sent IS 'Events in the shops'' ledger, over all runs.';
COMMENT ON COLUMN ops.health_samples.faults IS 'Of them, those that were sent wrong on purpose.';
COMMENT ON COLUMN ops.health_samples.loaded IS 'Records loaded, whatever they became, over all runs; markers and lost offsets are none.';
COMMENT ON COLUMN ops.health_samples.newest_batch IS 'The newest batch of ops.load_batches that is in the delays.';
COMMENT ON COLUMN ops.health_samples.events IS 'Records of the batches that were loaded since the sample before: what the delays are of.';
COMMENT ON COLUMN ops.health_samples.delay_p50_ms IS 'Half of these records were loaded within so many milliseconds of Kafka''s time for them, each taken at its batch''s oldest record. Null where none was loaded; in a row for a whole minute the highest of it.';
COMMENT ON COLUMN ops.health_samples.delay_p95_ms IS 'The same for 95 of 100.';
COMMENT ON COLUMN ops.health_samples.delay_p99_ms IS 'The same for 99 of 100.';
COMMENT ON COLUMN ops.health_samples.partitions IS 'Ends of the topics, as the broker said, as [{"topic", "partition", "name", "end_offset", "next_offset"}, ...]: ops.lag_by_partition. Empty where the broker did not answer.';
COMMENT ON COLUMN ops.health_samples.parts IS 'The state of each part of the run, as {"load": "ready"}; "unwell" for one that is ready and not well.';
COMMENT ON COLUMN ops.health_samples.memory IS 'Bytes of memory by part that has processes of its own, as {"kafka": 350000000}.';
COMMENT ON COLUMN ops.health_samples.disk IS 'Bytes on disk by store of the data folder, measured once a minute, as {"postgres": 90000000}.';

COMMENT ON VIEW ops.lag_by_partition IS 'How far loading was behind the broker, by partition, each few seconds of a run.';
COMMENT ON COLUMN ops.lag_by_partition.at IS 'When the sample was taken.';
COMMENT ON COLUMN ops.lag_by_partition.topic IS 'The topic.';
COMMENT ON COLUMN ops.lag_by_partition.partition IS 'The partition.';
COMMENT ON COLUMN ops.lag_by_partition.name IS 'The partition''s number; topic/number for a further source.';
COMMENT ON COLUMN ops.lag_by_partition.end_offset IS 'The offset that the broker gives next; records of open transactions do not count yet.';
COMMENT ON COLUMN ops.lag_by_partition.next_offset IS 'Where loading goes on: read just before the broker was asked.';
COMMENT ON COLUMN ops.lag_by_partition.lag IS 'Records on the broker that were not loaded yet.';

-- The count that closes, of this moment, in one snapshot: what the broker has said to be on the topics is in the tables, or under way.
-- Where more is loaded by now than the broker said a few seconds ago, as much was on the topic. Where the broker says less than was
-- loaded when it was asked, the topic was cut: that stays open.
CREATE VIEW ops.count_that_closes AS
WITH ends AS (
    SELECT l.at, l.topic, l.partition, l.end_offset, l.next_offset FROM ops.lag_by_partition l
    WHERE l.at = (SELECT s.at FROM ops.health_samples s WHERE s.partitions <> '[]' ORDER BY s.at DESC LIMIT 1)
), places AS (
    SELECT c.duplicates, c.other, c.further_lines, c.markers, coalesce(c.first_offset, 0) AS first_offset, coalesce(c.next_offset, 0) AS next_offset,
           CASE WHEN e.end_offset < e.next_offset THEN e.end_offset
                ELSE greatest(e.end_offset, c.next_offset) END AS end_offset
    FROM ops.consumer_offsets c FULL JOIN ends e USING (topic, partition)
), sums AS (
    SELECT coalesce(sum(end_offset - first_offset), 0)::bigint AS on_topic,
           coalesce(sum(greatest(end_offset - next_offset, 0)), 0)::bigint AS under_way,
           coalesce(sum(duplicates), 0)::bigint AS duplicates, coalesce(sum(other), 0)::bigint AS other,
           coalesce(sum(further_lines), 0)::bigint AS further_lines, coalesce(sum(markers), 0)::bigint AS markers
    FROM places
), counted AS (
    SELECT s.*, t.lines AS facts, (SELECT count(*) FROM ops.dead_letters) AS dead,
           (SELECT coalesce(sum(g.last_offset - g.first_offset + 1), 0) FROM ops.gaps g)::bigint AS lost,
           (SELECT max(e.at) FROM ends e) AS ends_at
    FROM sums s CROSS JOIN realtime.totals() t
)
SELECT ends_at, on_topic, under_way, facts, other, duplicates, dead, further_lines, markers, lost,
       CASE WHEN ends_at IS NOT NULL
            THEN on_topic - under_way - (facts + other + duplicates + dead - further_lines + markers + lost) END AS open
FROM counted;
GRANT SELECT ON ops.count_that_closes TO ecom_reader, ecom_loader;

COMMENT ON VIEW ops.count_that_closes IS 'One row: whether every event on the topics is accounted for, at this moment.';
COMMENT ON COLUMN ops.count_that_closes.ends_at IS 'When the broker was last asked how far the topics go; null where no run has asked it yet.';
COMMENT ON COLUMN ops.count_that_closes.on_topic IS 'Offsets from where counting began to the ends of the topics.';
COMMENT ON COLUMN ops.count_that_closes.under_way IS 'Of them, those that are not loaded yet: lag.';
COMMENT ON COLUMN ops.count_that_closes.facts IS 'Rows of warehouse.fact_sales.';
COMMENT ON COLUMN ops.count_that_closes.other IS 'Events that are no order lines, as the loaders have counted them.';
COMMENT ON COLUMN ops.count_that_closes.duplicates IS 'Records whose row was there already, as the loaders have counted them.';
COMMENT ON COLUMN ops.count_that_closes.dead IS 'Rows of ops.dead_letters.';
COMMENT ON COLUMN ops.count_that_closes.further_lines IS 'Lines of records with several, beyond the first of each: they have no offset of their own.';
COMMENT ON COLUMN ops.count_that_closes.markers IS 'Offsets without a record: markers of transactions, or compacted away.';
COMMENT ON COLUMN ops.count_that_closes.lost IS 'Offsets in ops.gaps: removed by retention before they were loaded.';
COMMENT ON COLUMN ops.count_that_closes.open IS 'on_topic - under_way - (facts + other + duplicates + dead - further_lines + markers + lost): 0 where the count closes; null without ends_at.';

-- Dead letters of the last minutes are found without reading all.
CREATE INDEX dead_letters_loaded_at ON ops.dead_letters USING brin (loaded_at) WITH (pages_per_range = 16, autosummarize = on);
