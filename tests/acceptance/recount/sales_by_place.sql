SELECT
    day_of(movements.moment) AS date, coalesce(country, '(unknown)') AS country, coalesce(city, '(unknown)') AS city,
    sum(lines)::BIGINT AS lines, sum(units)::BIGINT AS units, money(sum(gross)) AS gross, money(sum(discounts)) AS discounts,
    money(sum(revenue)) AS revenue, sum(returned_units)::BIGINT AS returned_units, money(sum(returns)) AS returns,
    money(sum(revenue) - sum(returns)) AS net
FROM movements
ASOF LEFT JOIN profiles ON profiles.user_id = movements.user_id AND profiles.moment <= movements.sold_at
GROUP BY ALL
