SELECT 'channel' AS attribute, coalesce(channel, '(none)') AS value, day_of(moment) AS date, count(*) AS lines, sum(quantity)::BIGINT AS units,
    money(sum(revenue)) AS revenue
FROM sold
GROUP BY ALL
