-- The pipeline's own record: what was sent, what became of every offset, what went wrong.
CREATE TABLE ops.consumer_offsets (      -- the truth about progress; Kafka's own commits are only for lag displays
    topic         text NOT NULL,
    partition     integer NOT NULL,
    next_offset   bigint NOT NULL,       -- every offset below it is accounted for by the counts of this row
    epoch         bigint NOT NULL,       -- counts the compare-and-sets: a stale owner's compare fails
    first_offset  bigint NOT NULL,       -- where accounting began
    own           bigint NOT NULL DEFAULT 0,   -- records of our own producer (by header); the rest are foreign
    facts         bigint NOT NULL DEFAULT 0,
    duplicates    bigint NOT NULL DEFAULT 0,
    other         bigint NOT NULL DEFAULT 0,
    dead          bigint NOT NULL DEFAULT 0,
    markers       bigint NOT NULL DEFAULT 0,   -- offsets without a record: transaction markers, compacted away
    lost          bigint NOT NULL DEFAULT 0,   -- offsets that retention removed before they were loaded
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition),
    CHECK (next_offset = first_offset + facts + duplicates + other + dead + markers + lost)
);

CREATE TABLE ops.load_batches (
    batch_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    loaded_at     timestamptz NOT NULL DEFAULT now(),
    records       integer NOT NULL,
    facts         integer NOT NULL,
    duplicates    integer NOT NULL,
    other         integer NOT NULL,
    dead          integer NOT NULL,
    oldest_broker_time timestamptz,      -- of the batch's records: loaded_at minus this is the worst delay
    newest_broker_time timestamptz,
    offsets       jsonb NOT NULL         -- {"partition": [from, to)}
);
CREATE INDEX load_batches_loaded_at ON ops.load_batches (loaded_at);

CREATE TABLE ops.dead_letters (
    topic         text NOT NULL,
    partition     integer NOT NULL,
    "offset"      bigint NOT NULL,
    broker_time   timestamptz,
    key           bytea,
    value         bytea,                 -- the original bytes; null for a tombstone
    headers       jsonb NOT NULL DEFAULT '[]',  -- [[name, base64 value], ...]
    reason        text NOT NULL,         -- a key of events.REASONS
    detail        text NOT NULL,
    error_class   text NOT NULL,
    loaded_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, "offset")
);

CREATE TABLE ops.sent_ledger (           -- what the broker acknowledged to our producer, per shop and partition
    shop          text NOT NULL,         -- "seed-7": one stream of events
    partition     integer NOT NULL,
    events        bigint NOT NULL DEFAULT 0,
    order_lines   bigint NOT NULL DEFAULT 0,
    other_events  bigint NOT NULL DEFAULT 0,
    revenue       numeric(18, 2) NOT NULL DEFAULT 0,
    next_offset   bigint NOT NULL DEFAULT 0,   -- every own record below it is counted here
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop, partition)
);

CREATE TABLE ops.shops (                 -- where each stream of events goes on after a restart
    shop          text PRIMARY KEY,
    next_sequence bigint NOT NULL DEFAULT 0,   -- every order below it was acknowledged whole
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ops.dbt_runs (
    run_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trigger       text NOT NULL,         -- first facts, schedule, refresh, stop
    started_at    timestamptz NOT NULL,
    finished_at   timestamptz,
    status        text NOT NULL CHECK (status IN ('running', 'success', 'tests failed', 'error')),
    load_xid_below bigint NOT NULL,      -- the marts hold exactly the facts with load_xid below this
    models        integer NOT NULL DEFAULT 0,
    tests_passed  integer NOT NULL DEFAULT 0,
    tests_failed  integer NOT NULL DEFAULT 0,
    message       text NOT NULL DEFAULT ''     -- the first failing test or the error
);

CREATE TABLE ops.service_events (
    at            timestamptz NOT NULL DEFAULT now(),
    service       text NOT NULL,
    event         text NOT NULL,         -- started, ready, restarted, died, stopped, failed
    detail        text NOT NULL DEFAULT ''
);
CREATE INDEX service_events_at ON ops.service_events (at);

GRANT SELECT ON ALL TABLES IN SCHEMA ops TO ecom_reader, ecom_dbt, ecom_loader, ecom_producer;
GRANT INSERT, UPDATE ON ops.consumer_offsets TO ecom_loader;
GRANT INSERT, DELETE ON ops.load_batches TO ecom_loader;
GRANT INSERT, UPDATE, DELETE ON ops.dead_letters TO ecom_loader;
GRANT INSERT, UPDATE ON ops.sent_ledger, ops.shops TO ecom_producer;
GRANT INSERT, UPDATE ON ops.dbt_runs TO ecom_dbt;
GRANT INSERT ON ops.service_events TO ecom_loader, ecom_producer, ecom_stream, ecom_dbt;
