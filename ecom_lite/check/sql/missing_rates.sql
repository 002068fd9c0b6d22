SELECT r.currency AS reporting, (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.currency), '[]') FROM ops.missing_rates m) AS missing
FROM ops.reporting_currency r
