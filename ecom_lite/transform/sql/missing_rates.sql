SELECT m.currency, m.reporting, m.lines, m.first_day, m.last_day
FROM ops.missing_rates m
WHERE (SELECT r.other_currencies FROM ops.reporting_currency r)  -- else nothing can be missing
ORDER BY m.currency
