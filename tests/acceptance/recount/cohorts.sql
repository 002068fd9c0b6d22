WITH firsts AS (
    SELECT user_id, date_trunc('month', min(moment) AT TIME ZONE getvariable('zone'))::DATE AS cohort_month FROM sold GROUP BY user_id
), sizes AS (
    SELECT cohort_month, count(*) AS customers FROM firsts GROUP BY cohort_month
)
SELECT
    cohort_month,
    date_trunc('month', moment AT TIME ZONE getvariable('zone'))::DATE AS month,
    datediff('month', cohort_month, date_trunc('month', moment AT TIME ZONE getvariable('zone'))::DATE)::INTEGER AS months_since,
    any_value(customers) AS customers,
    count(DISTINCT user_id) FILTER (lines = 1) AS active_customers,
    count(DISTINCT (user_id, order_id)) FILTER (lines = 1) AS orders,
    money(sum(revenue) - sum(returns)) AS net,
    share(count(DISTINCT user_id) FILTER (lines = 1), any_value(customers)) AS retention
FROM movements JOIN firsts USING (user_id) JOIN sizes USING (cohort_month)
GROUP BY ALL
