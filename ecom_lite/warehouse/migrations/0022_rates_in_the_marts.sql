-- Marts add what is new to what they hold, in the money of the rates of that time: after a change of the rates, or of the reporting
-- currency, the next run of dbt builds them anew from all facts.
ALTER TABLE ops.reporting_currency
    ADD COLUMN rates_version bigint NOT NULL DEFAULT 1,
    ADD COLUMN other_currencies boolean NOT NULL DEFAULT false;
UPDATE ops.reporting_currency r
SET other_currencies = EXISTS (SELECT FROM warehouse.fact_sales f WHERE f.currency <> r.currency);
GRANT UPDATE (rates_version) ON ops.reporting_currency TO ecom_loader;
GRANT UPDATE (other_currencies) ON ops.reporting_currency TO ecom_dbt;

ALTER TABLE ops.dbt_runs
    ADD COLUMN full_refresh boolean NOT NULL DEFAULT false,
    ADD COLUMN rates_version bigint NOT NULL DEFAULT 1;

-- Facts that are worth nothing known: the newest rate on or before the day counts, so those from before the first one have none.
CREATE VIEW ops.missing_rates AS
SELECT f.currency, r.currency AS reporting, min((f.ordered_at AT TIME ZONE 'UTC')::date) AS first_day,
       max((f.ordered_at AT TIME ZONE 'UTC')::date) AS last_day, count(*) AS lines
FROM warehouse.fact_sales f
CROSS JOIN ops.reporting_currency r
LEFT JOIN (SELECT d.currency, d.reporting, min(d.day) AS first_day FROM warehouse.rates d GROUP BY d.currency, d.reporting) k
    ON k.currency = f.currency AND k.reporting = r.currency
WHERE f.currency <> r.currency AND (f.ordered_at AT TIME ZONE 'UTC')::date < coalesce(k.first_day, 'infinity')
GROUP BY f.currency, r.currency;
GRANT SELECT ON ops.missing_rates TO ecom_loader, ecom_producer, ecom_stream, ecom_dbt, ecom_reader;

COMMENT ON COLUMN ops.reporting_currency.rates_version IS 'Goes up when facts that are loaded become worth something else: marts of another version are built anew.';
COMMENT ON COLUMN ops.reporting_currency.other_currencies IS 'Whether a run of dbt has seen facts in another currency: only then lines without a rate are looked for.';
COMMENT ON COLUMN ops.dbt_runs.full_refresh IS 'Whether the marts were built anew from all facts.';
COMMENT ON COLUMN ops.dbt_runs.rates_version IS 'ops.reporting_currency.rates_version at its start.';
COMMENT ON VIEW ops.missing_rates IS 'Order lines without a rate, by currency: they are in no sum of money. Reads all facts.';
COMMENT ON COLUMN ops.missing_rates.currency IS 'ISO 4217 code that the events had.';
COMMENT ON COLUMN ops.missing_rates.reporting IS 'ISO 4217 code of the reporting currency.';
COMMENT ON COLUMN ops.missing_rates.first_day IS 'First UTC day with such a line: a rate from there on would do.';
COMMENT ON COLUMN ops.missing_rates.last_day IS 'Last UTC day with such a line.';
COMMENT ON COLUMN ops.missing_rates.lines IS 'Order lines.';
