-- What marts are made from has a schema of its own, which analysts do not read; the cut of a model is kept here, not in its rows.
CREATE SCHEMA intermediate AUTHORIZATION ecom_dbt;
CREATE TABLE ops.mart_cuts (
    model         text NOT NULL,
    part          text NOT NULL DEFAULT '',
    load_xid_below bigint NOT NULL,
    PRIMARY KEY (model, part)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.mart_cuts TO ecom_dbt;
GRANT SELECT ON ops.mart_cuts TO ecom_loader, ecom_producer, ecom_stream, ecom_reader;
COMMENT ON TABLE ops.mart_cuts IS 'What each model of dbt that adds up holds: written in the transaction that builds it.';
COMMENT ON COLUMN ops.mart_cuts.model IS 'The model.';
COMMENT ON COLUMN ops.mart_cuts.part IS 'Empty, or the attribute, for a model that takes attributes in one by one.';
COMMENT ON COLUMN ops.mart_cuts.load_xid_below IS 'It holds exactly the facts with a load_xid below this.';

-- The days, weeks and months of the marts are the shop's: `migrate` and `run` write its time zone here from the settings.
CREATE TABLE ops.calendar (
    one_row       boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    time_zone     text NOT NULL DEFAULT 'UTC',
    since         timestamptz NOT NULL DEFAULT now()
);
INSERT INTO ops.calendar DEFAULT VALUES;
GRANT SELECT ON ops.calendar TO ecom_loader, ecom_producer, ecom_stream, ecom_dbt, ecom_reader;
COMMENT ON TABLE ops.calendar IS 'One row: by which clock the marts count days, from the setting `shop.time_zone`.';
COMMENT ON COLUMN ops.calendar.one_row IS 'Always true: there is one row.';
COMMENT ON COLUMN ops.calendar.time_zone IS 'IANA name of the time zone.';
COMMENT ON COLUMN ops.calendar.since IS 'Since when the marts count by it.';

-- The marts have other columns than before: the next run builds them anew.
DROP VIEW IF EXISTS marts.stg_sales, marts.stg_users, marts.stg_user_changes, marts.stg_products;
DROP TABLE IF EXISTS marts.int_customer_days, marts.int_product_sales;
UPDATE ops.reporting_currency SET rates_version = rates_version + 1
WHERE EXISTS (SELECT FROM ops.dbt_runs WHERE status IN ('success', 'tests failed'));
GRANT SELECT ON warehouse.fact_returns TO ecom_dbt;
