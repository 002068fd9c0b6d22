SELECT date_key, date, year, quarter, month, day, iso_week, iso_weekday, is_weekend
FROM warehouse.dim_date
ORDER BY date_key
