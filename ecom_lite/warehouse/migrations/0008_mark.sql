-- Says of a record that a shop of this warehouse has sent it, and that it is in the ledger here. It moves with a dump.
CREATE TABLE ops.mark (
    mark text NOT NULL
);
INSERT INTO ops.mark VALUES (left(md5(gen_random_uuid()::text), 12));
GRANT SELECT ON ops.mark TO ecom_producer;
