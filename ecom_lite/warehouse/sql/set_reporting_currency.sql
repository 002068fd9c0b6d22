UPDATE ops.reporting_currency SET currency = %(currency)s, decimals = %(decimals)s, since = now()
WHERE currency <> %(currency)s
