-- The order in which transactions loaded, for a warehouse that moves: transaction ids belong to one server, and those of the server
-- that a dump is restored into may be far lower. There `load_order_base` is added, so that what loads later comes later.
CREATE TABLE ops.server (
    one_row       boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    system_identifier bigint,            -- the server that the base was made for; null: none yet
    load_order_base bigint NOT NULL DEFAULT 0,
    since         timestamptz NOT NULL DEFAULT now()
);
INSERT INTO ops.server DEFAULT VALUES;
GRANT SELECT ON ops.server TO ecom_reader, ecom_dbt, ecom_loader, ecom_producer, ecom_stream;

CREATE FUNCTION ops.load_order_base() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    found bigint;
BEGIN
    SELECT s.load_order_base INTO found FROM ops.server s, pg_control_system() c WHERE s.system_identifier = c.system_identifier;
    IF found IS NULL THEN
        RAISE EXCEPTION 'this warehouse was moved here from another PostgreSQL server' USING HINT = 'Run `ecom_lite migrate`.';
    END IF;
    RETURN found;
END $$;

-- What the caller's transaction loads is at this place of the order.
CREATE FUNCTION ops.load_order() RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT ops.load_order_base() + pg_current_xact_id()::text::bigint';

-- The cut: every transaction with a place below it is finished, so nothing can appear there any more.
CREATE FUNCTION ops.load_order_cut() RETURNS bigint LANGUAGE sql STABLE AS
    'SELECT ops.load_order_base() + pg_snapshot_xmin(pg_current_snapshot())::text::bigint';

-- Whether this is another server than the base was made for, or one that is behind what was recorded (the dump of a copy of it).
CREATE FUNCTION ops.moved() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT s.system_identifier IS DISTINCT FROM c.system_identifier
        OR (SELECT max(load_xid_below) FROM ops.dbt_runs) > s.load_order_base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    FROM ops.server s, pg_control_system() c
$$;

-- Go on above all that was ever recorded, here or elsewhere. Reads every load_xid once.
CREATE FUNCTION ops.settle_here() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    place record;
    newest bigint;
    highest bigint := 0;
BEGIN
    FOR place IN
        SELECT c.oid::regclass AS relation, a.attname AS name
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname IN ('warehouse', 'ops', 'realtime', 'marts') AND c.relkind IN ('r', 'p')
          AND a.attname IN ('load_xid', 'load_xid_below') AND NOT a.attisdropped
    LOOP
        EXECUTE format('SELECT max(%I) FROM %s', place.name, place.relation) INTO newest;
        highest := greatest(highest, newest);
    END LOOP;
    UPDATE ops.server SET
        system_identifier = (SELECT system_identifier FROM pg_control_system()),
        load_order_base = greatest(0, highest + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint),
        since = now();
END $$;
REVOKE EXECUTE ON FUNCTION ops.settle_here() FROM PUBLIC;

COMMENT ON TABLE ops.server IS 'One row: the PostgreSQL server that this warehouse lives on, and what its transaction ids need to go on above those of servers before it.';
COMMENT ON COLUMN ops.server.one_row IS 'Always true: there is one row.';
COMMENT ON COLUMN ops.server.system_identifier IS 'Of the server''s cluster. Where it is another one, the warehouse was moved: `ecom_lite migrate` settles it.';
COMMENT ON COLUMN ops.server.load_order_base IS 'Added to a transaction id: a load_xid. 0 on the first server.';
COMMENT ON COLUMN ops.server.since IS 'When the warehouse was settled here.';
COMMENT ON COLUMN warehouse.fact_sales.load_xid IS 'The place of the loading transaction in the order of loads (its id, plus ops.server.load_order_base): the order in which marts take facts in.';
COMMENT ON COLUMN warehouse.fact_returns.load_xid IS 'The place of the loading transaction in the order of loads.';
COMMENT ON COLUMN warehouse.user_changes.load_xid IS 'The place of the loading transaction in the order of loads: the order in which marts take changes in.';
