-- What a check asks of all facts shall cost what is new. Facts are only ever added, so sums kept by load order stay right: here those by day
-- and currency, beside the ones of migration 0030 and below the same cut. Money is as it came, so that no rate makes them void.
CREATE TABLE realtime.rolled_days (
    date_key      integer NOT NULL,
    currency      text NOT NULL,
    lines         bigint NOT NULL,
    revenue       numeric(28, 4) NOT NULL,
    PRIMARY KEY (date_key, currency)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON realtime.rolled_days TO ecom_stream;
GRANT SELECT ON realtime.rolled_days TO ecom_reader;
INSERT INTO realtime.rolled_days
SELECT f.date_key, f.currency, count(*), sum(f.original_revenue)
FROM warehouse.sales f
WHERE f.load_xid < (SELECT r.load_xid_below FROM realtime.rolled r)
GROUP BY f.date_key, f.currency;

CREATE OR REPLACE FUNCTION realtime.forget_sums() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE realtime.rolled SET load_xid_below = 0, lines = 0, orders = 0, units = 0, revenue = 0;
    DELETE FROM realtime.rolled_categories;
    DELETE FROM realtime.rolled_products;
    DELETE FROM realtime.rolled_customers;
    DELETE FROM realtime.rolled_days;
    RETURN NULL;
END $$;

-- Whether facts are only ever added is known, too: who changes or deletes one by hand is counted, in the same transaction. From then on
-- checks read all facts. The loader only inserts, so that it pays nothing for it.
CREATE TABLE ops.fact_changes (
    one_row       boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    statements    bigint NOT NULL DEFAULT 0,
    changed_at    timestamptz
);
INSERT INTO ops.fact_changes DEFAULT VALUES;
GRANT SELECT ON ops.fact_changes TO ecom_reader;

CREATE FUNCTION ops.note_fact_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE ops.fact_changes SET statements = statements + 1, changed_at = now();
    RETURN NULL;
END $$;
CREATE TRIGGER note_fact_change AFTER UPDATE OR DELETE OR TRUNCATE ON warehouse.fact_sales
    FOR EACH STATEMENT EXECUTE FUNCTION ops.note_fact_change();

-- The kept sums with the facts since, of one moment; where facts were changed by hand, all of them. plpgsql, because the planner must know
-- the cut; the tail is found by its BRIN index.
CREATE FUNCTION realtime.sales_by_day() RETURNS TABLE (date_key integer, currency text, lines bigint, revenue numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    cut bigint;
BEGIN
    SELECT CASE WHEN c.statements = 0 THEN r.load_xid_below ELSE 0 END INTO cut FROM realtime.rolled r CROSS JOIN ops.fact_changes c;
    IF cut = 0 THEN
        RETURN QUERY SELECT f.date_key, f.currency, count(*), sum(f.original_revenue) FROM warehouse.sales f GROUP BY f.date_key, f.currency;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT s.date_key, s.currency, sum(s.lines)::bigint, sum(s.revenue)
    FROM (
        SELECT k.date_key, k.currency, k.lines, k.revenue FROM realtime.rolled_days k
        UNION ALL
        SELECT f.date_key, f.currency, count(*), sum(f.original_revenue) FROM warehouse.sales f WHERE f.load_xid >= cut
        GROUP BY f.date_key, f.currency
    ) s
    GROUP BY s.date_key, s.currency;
END $$;

CREATE OR REPLACE VIEW ops.missing_rates AS
SELECT f.currency, r.currency AS reporting, min(f.day) AS first_day, max(f.day) AS last_day, sum(f.lines)::bigint AS lines
FROM (SELECT s.currency, to_date(s.date_key::text, 'YYYYMMDD') AS day, s.lines FROM realtime.sales_by_day() s) f
CROSS JOIN ops.reporting_currency r
LEFT JOIN (SELECT d.currency, d.reporting, min(d.day) AS first_day FROM warehouse.rates d GROUP BY d.currency, d.reporting) k
    ON k.currency = f.currency AND k.reporting = r.currency
WHERE f.currency <> r.currency AND f.day < coalesce(k.first_day, 'infinity')
GROUP BY f.currency, r.currency;

COMMENT ON TABLE realtime.rolled_days IS 'The sums below the cut (`rolled`) by UTC day and currency. `realtime.sales_by_day()` adds the facts since.';
COMMENT ON COLUMN realtime.rolled_days.date_key IS 'The UTC date of the events (dim_date).';
COMMENT ON COLUMN realtime.rolled_days.currency IS 'ISO 4217 code of the currency that the events were in.';
COMMENT ON COLUMN realtime.rolled_days.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.rolled_days.revenue IS 'Sum of price x quantity, in `currency`.';
COMMENT ON TABLE ops.fact_changes IS 'One row: how often facts were changed or deleted by hand. The product only adds some.';
COMMENT ON COLUMN ops.fact_changes.one_row IS 'Always true: there is one row.';
COMMENT ON COLUMN ops.fact_changes.statements IS 'Statements that updated, deleted or truncated warehouse.fact_sales. From the first one on `ecom_lite check` reads all facts.';
COMMENT ON COLUMN ops.fact_changes.changed_at IS 'When the last one was; null where none was.';
COMMENT ON FUNCTION realtime.sales_by_day() IS 'Order lines and revenue by UTC day and currency of the events, at this moment; costs what was loaded in the last seconds.';
COMMENT ON VIEW ops.missing_rates IS 'Order lines without a rate, by currency: they are in no sum of money.';
