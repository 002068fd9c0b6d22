-- description: Each order line is worth something in the reporting currency, or is named as one without a rate.
-- left: lines with an amount, and those without a rate
-- right: facts
-- severity: error
WITH facts AS (
    SELECT lines, priced, revenue FROM jsonb_to_recordset(%(facts)s::jsonb) AS f(run_id bigint, lines bigint, priced bigint, revenue numeric) WHERE run_id IS NULL
), rates AS (
    SELECT %(missing_rates)s::jsonb AS r
)
SELECT 'lines with an amount in ' || (r ->> 'reporting') || ' + without a rate = facts' AS line,
       priced + (SELECT coalesce(sum((m ->> 'lines')::bigint), 0) FROM jsonb_array_elements(r -> 'missing') m)::bigint AS "left",
       lines AS "right", r ->> 'told' AS note,
       jsonb_build_object('fact_revenue', revenue, 'priced_rows', priced, 'reporting_currency', r -> 'reporting', 'missing_rates', r -> 'missing') AS figures
FROM facts CROSS JOIN rates
