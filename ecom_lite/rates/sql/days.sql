SELECT day, reporting, rate FROM warehouse.rates WHERE currency = %(currency)s ORDER BY day DESC, reporting
