SELECT currency, reporting, lines, first_day, last_day FROM ops.missing_rates ORDER BY currency
