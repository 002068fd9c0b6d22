UPDATE ops.reporting_currency
SET currency = %(currency)s, decimals = %(decimals)s, since = now(), rates_version = rates_version + 1,
    other_currencies = EXISTS (SELECT FROM warehouse.fact_sales f WHERE f.currency <> %(currency)s)
WHERE currency <> %(currency)s
