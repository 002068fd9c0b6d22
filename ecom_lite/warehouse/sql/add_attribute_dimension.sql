CREATE TABLE warehouse.dim_{attribute} (
    "{attribute}_key"  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "{attribute}"      text NOT NULL UNIQUE
);
GRANT SELECT ON warehouse.dim_{attribute} TO ecom_loader, ecom_stream, ecom_dbt, ecom_lake, ecom_reader;
GRANT INSERT ON warehouse.dim_{attribute} TO ecom_loader;
ALTER TABLE warehouse.fact_sales ADD COLUMN "{attribute}_key" integer REFERENCES warehouse.dim_{attribute} NOT ENFORCED;
COMMENT ON TABLE warehouse.dim_{attribute} IS 'The values of attribute `{attribute}`, by events.attributes.';
COMMENT ON COLUMN warehouse.dim_{attribute}."{attribute}_key" IS 'Surrogate key.';
COMMENT ON COLUMN warehouse.dim_{attribute}."{attribute}" IS 'The value in the events.';
COMMENT ON COLUMN warehouse.fact_sales."{attribute}_key" IS 'Attribute `{attribute}` of the order line (dim_{attribute}), by events.attributes; null where it had none.';
