-- The zone's clock differs from UTC by whole hours, so its hours begin where those of UTC begin.
SELECT
    to_timestamp(epoch_us(moment) // 3600000000 * 3600) AS hour,
    day_of(moment) AS date,
    extract(hour FROM moment AT TIME ZONE getvariable('zone'))::INTEGER AS hour_of_day,
    count(DISTINCT order_id) FILTER (lines = 1) AS orders,
    sum(lines)::BIGINT AS lines,
    sum(units)::BIGINT AS units,
    money(sum(gross)) AS gross,
    money(sum(discounts)) AS discounts,
    money(sum(revenue)) AS revenue,
    sum(returned_units)::BIGINT AS returned_units,
    money(sum(returns)) AS returns,
    money(sum(revenue) - sum(returns)) AS net,
    money(over(sum(revenue), count(DISTINCT order_id) FILTER (lines = 1))) AS average_order_value
FROM movements
GROUP BY ALL
