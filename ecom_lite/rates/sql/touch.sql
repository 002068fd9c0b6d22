-- Marts are made anew where a fact's amount is another one now: one in a currency whose rate has changed, from that day on.
UPDATE ops.reporting_currency r SET rates_version = r.rates_version + 1
WHERE r.currency = %(reporting)s AND EXISTS (
    SELECT FROM (SELECT i.currency, min(i.day) AS first_day FROM incoming_rates i WHERE i.changed GROUP BY i.currency) c
    JOIN warehouse.fact_sales f ON f.currency = c.currency AND f.ordered_at >= c.first_day::timestamp AT TIME ZONE 'UTC'
)
