-- The list price of one unit, in the currency of the line; null where the event named none: then no discount is known. With the four
-- decimals of exact_price, for it has as many as its currency. A column without a default rewrites nothing.
ALTER TABLE warehouse.fact_sales ADD COLUMN list_price numeric(12, 4);

-- The one look-up of a rate. A function, and no sub-select: a correlated one keeps the whole query from being worked on in parallel, also
-- where every fact is in the reporting currency and no rate is ever asked for. With its owner's rights, as the views over it.
CREATE FUNCTION warehouse.rate_on(code text, on_day date) RETURNS numeric LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
    SELECT d.rate FROM warehouse.rates d
    WHERE d.currency = code AND d.reporting = (SELECT r.currency FROM ops.reporting_currency r) AND d.day <= on_day
    ORDER BY d.day DESC LIMIT 1;
END;

-- Columns can only be added behind those that are there, and those of declared attributes may be among them: they keep their places
-- (ecom_lite.warehouse.attributes adds new ones behind all). What stands on the views stays.
DO $$
DECLARE
    attributes text;
    dimensions text;
    definition text;
    select_ends CONSTANT text := E'\n   FROM ';  -- in what PostgreSQL writes of a view; a sub-select's stands deeper
BEGIN
    SELECT string_agg(format(', %s.%I', CASE a.type WHEN 'dimension' THEN 'attribute_' || a.name ELSE 'f' END, a.name), ''
                      ORDER BY c.attnum),
           string_agg(format(' LEFT JOIN warehouse.dim_%1$s attribute_%1$s ON attribute_%1$s.%2$I = f.%2$I', a.name, a.name || '_key'), ''
                      ORDER BY c.attnum) FILTER (WHERE a.type = 'dimension')
    INTO attributes, dimensions
    FROM ops.attributes a JOIN pg_attribute c ON c.attrelid = 'warehouse.sales'::regclass AND c.attname = a.name;

    -- Where the reporting currency is what a fact is in, nothing is looked up: the sub-selects, without a row of f, run once per query.
    EXECUTE concat($view$
        CREATE OR REPLACE VIEW warehouse.sales AS
        SELECT f.order_id, f.product_key, f.user_key, f.category_key, f.date_key, f.ordered_at, f.quantity,
               (CASE WHEN f.currency = (SELECT r.currency FROM ops.reporting_currency r) THEN coalesce(f.exact_price, f.unit_price)
                     ELSE round(coalesce(f.exact_price, f.unit_price)
                                * warehouse.rate_on(f.currency, (f.ordered_at AT TIME ZONE 'UTC')::date),
                                (SELECT r.decimals FROM ops.reporting_currency r))
                END)::numeric(24, 4) AS unit_price,
               (CASE WHEN f.currency = (SELECT r.currency FROM ops.reporting_currency r)
                     THEN coalesce(f.exact_price * f.quantity, f.revenue)
                     ELSE round(coalesce(f.exact_price * f.quantity, f.revenue)
                                * warehouse.rate_on(f.currency, (f.ordered_at AT TIME ZONE 'UTC')::date),
                                (SELECT r.decimals FROM ops.reporting_currency r))
                END)::numeric(24, 4) AS revenue,
               f.currency,
               coalesce(f.exact_price, f.unit_price)::numeric(12, 4) AS original_price,
               coalesce(f.exact_price * f.quantity, f.revenue)::numeric(18, 4) AS original_revenue,
               f.source_partition, f.source_offset, f.load_xid, f.loaded_at$view$,
        attributes, $view$,
               (CASE WHEN f.list_price IS NULL OR f.currency = (SELECT r.currency FROM ops.reporting_currency r) THEN f.list_price
                     ELSE round(f.list_price * warehouse.rate_on(f.currency, (f.ordered_at AT TIME ZONE 'UTC')::date),
                                (SELECT r.decimals FROM ops.reporting_currency r))
                END)::numeric(24, 4) AS list_price,
               f.list_price AS original_list_price
        FROM warehouse.fact_sales f$view$,
        dimensions);

    definition := rtrim(pg_get_viewdef('warehouse.order_lines'::regclass, true), ';');
    EXECUTE concat('CREATE OR REPLACE VIEW warehouse.order_lines AS ', overlay(
        definition PLACING ', f.list_price' || select_ends FROM strpos(definition, select_ends) FOR length(select_ends)
    ));
END $$;

COMMENT ON FUNCTION warehouse.rate_on(text, date) IS 'What one unit of a currency is worth in the reporting currency on a UTC day: by the newest rate on or before it; null where there is none.';
COMMENT ON COLUMN warehouse.fact_sales.list_price IS 'Price of one unit before any discount, in `currency`; null where the event named none. The discount of a unit is greatest(list_price - price, 0).';
COMMENT ON COLUMN warehouse.order_lines.list_price IS 'Price of one unit before any discount, in `currency`; null where the event named none. The discount of a unit is greatest(list_price - price, 0).';
COMMENT ON COLUMN warehouse.sales.list_price IS 'Price of one unit before any discount, in the reporting currency; null where the event named none, and where there is no rate. The discount of a unit is greatest(list_price - unit_price, 0).';
COMMENT ON COLUMN warehouse.sales.original_list_price IS 'The same in `currency`.';
