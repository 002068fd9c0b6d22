-- Dead letters can be sent again and emptied. The rows stay: the count is of rows. The loader only adds them; who sends marks them.
ALTER TABLE ops.dead_letters
    ADD COLUMN resent_at timestamptz,    -- when it was last sent again, and where it went
    ADD COLUMN resent_partition integer,
    ADD COLUMN resent_offset bigint,
    ADD COLUMN purged_at timestamptz,    -- from then on key and value are null; of the headers only the program's own are left
    ADD COLUMN purged_bytes bigint;      -- so many there were

REVOKE UPDATE, DELETE ON ops.dead_letters FROM ecom_loader;
GRANT UPDATE (resent_at, resent_partition, resent_offset, purged_at, purged_bytes, key, value, headers)
    ON ops.dead_letters TO ecom_producer;
