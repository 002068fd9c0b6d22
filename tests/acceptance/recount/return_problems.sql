SELECT problem, kind, count(*) AS returns, sum(wanted - units)::BIGINT AS refused_units, min(moment) AS first_returned_at,
    max(moment) AS last_returned_at
FROM came_back
WHERE problem IS NOT NULL
GROUP BY ALL
