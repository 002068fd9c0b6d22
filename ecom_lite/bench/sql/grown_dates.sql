INSERT INTO warehouse.dim_date (date_key, date, year, quarter, month, day, iso_week, iso_weekday, is_weekend)
SELECT DISTINCT f.date_key, d.d, extract(year FROM d.d), extract(quarter FROM d.d), extract(month FROM d.d), extract(day FROM d.d),
       extract(week FROM d.d), extract(isodow FROM d.d), extract(isodow FROM d.d) >= 6
FROM warehouse.fact_sales f, LATERAL (SELECT (f.ordered_at AT TIME ZONE 'UTC')::date AS d) d
