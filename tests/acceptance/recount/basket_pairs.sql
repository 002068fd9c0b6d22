-- An order that two customers share is one basket, and two orders.
WITH pairs AS (
    SELECT one.product_id, other.product_id AS other_product_id, count(*) AS orders
    FROM sold AS one JOIN sold AS other ON other.order_id = one.order_id AND other.product_id > one.product_id
    GROUP BY ALL HAVING count(*) >= 5
), baskets AS (
    SELECT count(DISTINCT (order_id, user_id)) AS orders FROM sold
)
SELECT
    pairs.product_id, other_product_id, pairs.orders, share(pairs.orders, baskets.orders) AS support,
    share(pairs.orders, greatest(one.orders, other.orders)) AS confidence,
    share(pairs.orders, least(one.orders, other.orders)) AS confidence_of_other,
    (over(pairs.orders::HUGEINT * baskets.orders * 10000, one.orders * other.orders) * 0.0001::DECIMAL(5, 4))::DECIMAL(20, 4) AS lift
FROM pairs CROSS JOIN baskets JOIN products AS one USING (product_id) JOIN products AS other ON other.product_id = other_product_id
