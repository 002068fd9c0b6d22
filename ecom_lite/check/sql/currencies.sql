-- What figures are in, whether the marts are of the rates of now, and which lines have none.
SELECT r.currency AS reporting,
       coalesce((SELECT d.rates_version FROM ops.dbt_runs d WHERE d.status IN ('success', 'tests failed') ORDER BY d.run_id DESC LIMIT 1)
           <> r.rates_version, false) AS marts_of_other_rates,
       (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.currency), '[]') FROM ops.missing_rates m) AS missing
FROM ops.reporting_currency r
