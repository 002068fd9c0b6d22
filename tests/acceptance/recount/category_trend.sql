WITH days AS (
    SELECT category, day_of(moment) AS date, units, revenue - returns AS net FROM movements
), sums AS (
    SELECT category, period, date_trunc(period, date)::DATE AS begins, sum(units)::BIGINT AS units, sum(net)::BIGINT AS net
    FROM days CROSS JOIN (VALUES ('day'), ('week'), ('month')) AS periods (period) GROUP BY ALL
), told AS (
    SELECT
        *,
        (begins - CASE period WHEN 'day' THEN INTERVAL 1 DAY WHEN 'week' THEN INTERVAL 7 DAY ELSE INTERVAL 1 MONTH END)::DATE AS earlier,
        (begins + CASE period WHEN 'day' THEN INTERVAL 1 DAY WHEN 'week' THEN INTERVAL 7 DAY ELSE INTERVAL 1 MONTH END)::DATE AS later
    FROM sums
)
SELECT
    told.category, told.period, told.begins, told.later <= (SELECT max(date) FROM days) AS is_complete, told.units,
    money(told.net) AS net, money(coalesce(before.net, 0)) AS net_before, growth(told.net, before.net) AS change,
    CASE WHEN told.period = 'day' THEN money(coalesce(week_ago.net, 0)) END AS net_same_weekday,
    growth(told.net, week_ago.net) AS change_same_weekday
FROM told
LEFT JOIN sums AS before ON before.category = told.category AND before.period = told.period AND before.begins = told.earlier
LEFT JOIN sums AS week_ago
    ON week_ago.category = told.category AND week_ago.period = 'day' AND told.period = 'day' AND week_ago.begins = told.begins - 7
