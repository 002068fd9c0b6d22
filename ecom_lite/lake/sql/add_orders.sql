-- A version of each order that has new lines, with all lines that it has by now.
INSERT INTO lake.order_versions BY NAME
SELECT order_id, min(user_id) AS user_id, arg_max(country, load_xid) AS country, min(ordered_at) AS ordered_at, min(day) AS day,
       extract(hour FROM min(ordered_at) AT TIME ZONE 'UTC') AS hour, count(*) AS lines, sum(quantity)::BIGINT AS units,
       CASE WHEN min(currency) = max(currency) THEN sum(revenue) END AS revenue,
       CASE WHEN min(currency) = max(currency) THEN min(currency) END AS currency,
       max(load_xid) AS load_xid, max(loaded_at) AS loaded_at, min(load_xid) < $since AS replaces
FROM (
    SELECT order_id, user_id, country, ordered_at, day, quantity, revenue, currency, load_xid, loaded_at
    FROM lake.sales WHERE load_xid >= $since AND load_xid < $below
    UNION ALL BY NAME
    FROM {earlier}
)
GROUP BY order_id
