INSERT INTO warehouse.dim_date (date_key, date, year, quarter, month, day, iso_week, iso_weekday, is_weekend)
SELECT to_char(d, 'YYYYMMDD')::integer, d, extract(year FROM d), extract(quarter FROM d), extract(month FROM d),
       extract(day FROM d), extract(week FROM d), extract(isodow FROM d), extract(isodow FROM d) >= 6
FROM unnest(%(dates)s::date[]) AS n (d)
ON CONFLICT DO NOTHING
