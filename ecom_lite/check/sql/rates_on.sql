SELECT p.currency, p.day, warehouse.rate_on(p.currency, p.day) AS rate
FROM jsonb_to_recordset(%(pairs)s::jsonb) AS p(currency text, day date)
