SELECT r.currency, r.reporting, count(*), min(r.day), max(r.day), (array_agg(r.rate ORDER BY r.day DESC))[1]
FROM warehouse.rates r GROUP BY r.currency, r.reporting ORDER BY r.reporting, r.currency
