-- A shop's clock and settings, which must stay the same for its life; and the faults that were sent on purpose, by kind.
ALTER TABLE ops.shops
    ADD COLUMN opened_at timestamptz,    -- where its clock began; null: events carry the time of sending
    ADD COLUMN live_from timestamptz,    -- up to here the clock ran at full speed
    ADD COLUMN settings jsonb,           -- what its events are a function of, beside seed and sequence
    ADD COLUMN episodes jsonb NOT NULL DEFAULT '{}';  -- {"burst": 3, "silence": 1}

ALTER TABLE ops.sent_ledger
    ADD COLUMN faults jsonb NOT NULL DEFAULT '{}',    -- {"late": 7, "duplicate": 3, "malformed.not_json": 2}; the last two kinds are no lines and no other events
    ADD COLUMN resume_offset bigint NOT NULL DEFAULT 0;   -- every event from ops.shops.next_sequence on lies here or above
UPDATE ops.sent_ledger SET resume_offset = next_offset;

CREATE VIEW ops.sent_faults AS
SELECT l.shop, l.partition, f.key AS fault, f.value::bigint AS events
FROM ops.sent_ledger l, jsonb_each_text(l.faults) f;
GRANT SELECT ON ops.sent_faults TO ecom_reader, ecom_dbt, ecom_loader, ecom_producer;
