-- Days that are others than the lake last had them; one that the mart has no more (days by another clock, say) comes once more, with nothing in it.
-- The last is the one with the newest facts: by its moment it would not be where the clock was put back.
INSERT INTO lake.daily BY NAME
WITH mart AS (
    SELECT * FROM postgres_query('pg', $query_)
), known AS (
    SELECT * FROM lake.daily QUALIFY row_number() OVER (PARTITION BY date ORDER BY load_xid DESC, as_of DESC) = 1
), figures AS (
    SELECT * FROM mart
    UNION ALL BY NAME
    SELECT date, 0 AS lines, 0 AS orders, 0 AS units, 0 AS gross, 0 AS discounts, 0 AS revenue, 0 AS returned_units, 0 AS returns, 0 AS net,
           0 AS customers, NULL AS average_order_value, 0 AS returned_of_orders, NULL AS returned_share,
           (SELECT max(load_xid) FROM mart) AS load_xid, (SELECT max(as_of) FROM mart) AS as_of
    FROM known WHERE date NOT IN (SELECT date FROM mart) AND EXISTS (FROM mart)
)
SELECT figures.* FROM figures LEFT JOIN known USING (date)
WHERE (figures.lines, figures.orders, figures.units, figures.gross, figures.discounts, figures.revenue, figures.returned_units,
       figures.returns, figures.net, figures.customers, figures.average_order_value, figures.returned_of_orders, figures.returned_share)
   IS DISTINCT FROM
      (known.lines, known.orders, known.units, known.gross, known.discounts, known.revenue, known.returned_units,
       known.returns, known.net, known.customers, known.average_order_value, known.returned_of_orders, known.returned_share)
