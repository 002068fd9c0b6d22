-- A score says in which fifth of all others those are that are worse.
WITH customers AS (
    SELECT
        user_id,
        (max(max(day_of(sold_at))) OVER () - max(day_of(sold_at)))::INTEGER AS recency_days,
        count(DISTINCT order_id) AS frequency,
        sum(revenue) - sum(returns) AS value
    FROM movements GROUP BY user_id
), scored AS (
    SELECT
        *,
        fifth(rank() OVER (ORDER BY recency_days DESC) - 1, count(*) OVER () - 1) AS recency_score,
        fifth(rank() OVER (ORDER BY frequency) - 1, count(*) OVER () - 1) AS frequency_score,
        fifth(rank() OVER (ORDER BY value) - 1, count(*) OVER () - 1) AS monetary_score
    FROM customers
)
SELECT
    user_id, recency_days, frequency, money(value) AS monetary, recency_score, frequency_score, monetary_score,
    CASE
        WHEN recency_score >= 4 THEN
            CASE WHEN frequency_score >= 4 THEN 'Champions' WHEN frequency_score = 3 THEN 'Loyal' WHEN frequency = 1 THEN 'New' ELSE 'Promising' END
        WHEN recency_score = 3 THEN CASE WHEN frequency_score >= 3 THEN 'Loyal' ELSE 'Promising' END
        WHEN frequency_score >= 4 THEN 'Cannot lose'
        WHEN frequency_score = 3 THEN 'At risk'
        WHEN recency_score = 2 THEN 'About to sleep'
        ELSE 'Lost'
    END AS segment
FROM scored
