-- What [events.attributes] has ever declared. `migrate` and `run` compare it with the settings and add the columns that are missing:
-- to the facts, to the views over them, and for a dimension a table warehouse.dim_<name> (ecom_lite.warehouse.attributes).
CREATE TABLE ops.attributes (
    name          text PRIMARY KEY,
    type          text NOT NULL CHECK (type IN ('text', 'dimension', 'integer', 'number', 'boolean')),
    declared_at   timestamptz NOT NULL DEFAULT now(),
    still_declared boolean NOT NULL DEFAULT true
);
GRANT SELECT ON ops.attributes TO ecom_loader, ecom_producer, ecom_stream, ecom_dbt, ecom_reader;
COMMENT ON TABLE ops.attributes IS 'The attributes of order lines that `[events.attributes]` declares, or has declared: each is a column of warehouse.fact_sales.';
COMMENT ON COLUMN ops.attributes.name IS 'The column in warehouse.order_lines; in warehouse.fact_sales too, but for a dimension, whose key is there as <name>_key.';
COMMENT ON COLUMN ops.attributes.type IS 'text, integer, number, boolean; or dimension: the values are in warehouse.dim_<name>.';
COMMENT ON COLUMN ops.attributes.declared_at IS 'When the column was made: facts from before have none.';
COMMENT ON COLUMN ops.attributes.still_declared IS 'False where the settings of the last start declare it no more: its column stays, and is filled no more.';
