SELECT m.currency, m.reporting, m.lines, m.first_day, m.last_day
FROM ops.missing_rates m
WHERE (SELECT r.other_currencies FROM ops.reporting_currency r)  -- else the facts are not read
ORDER BY m.currency
