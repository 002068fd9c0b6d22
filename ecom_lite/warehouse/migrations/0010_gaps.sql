-- Offsets that Kafka's retention removed before they were loaded: until now they were in the words of an event.
CREATE TABLE ops.gaps (
    topic         text NOT NULL,
    partition     integer NOT NULL,
    first_offset  bigint NOT NULL,
    last_offset   bigint NOT NULL,
    found_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, first_offset),
    CHECK (last_offset >= first_offset)
);
GRANT INSERT ON ops.gaps TO ecom_loader;

INSERT INTO ops.gaps
SELECT m[1], m[2]::integer, m[3]::bigint, m[4]::bigint, at
FROM ops.service_events, regexp_match(detail, '^(.+)\[(\d+)\]: offsets (\d+) \.\. (\d+) were removed') AS m
WHERE service = 'load' AND event = 'lost' AND m IS NOT NULL
ON CONFLICT DO NOTHING;
