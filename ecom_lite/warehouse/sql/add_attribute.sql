ALTER TABLE warehouse.fact_sales ADD COLUMN "{attribute}" {type};
COMMENT ON COLUMN warehouse.fact_sales."{attribute}" IS 'Attribute `{attribute}` of the order line, by events.attributes; null where it had none.';
