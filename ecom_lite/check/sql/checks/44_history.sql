-- description: The history of each customer is one chain: no gap, no overlap, and its last version is the current one.
-- left: versions of customers that do not fit
-- right: 0
-- severity: error
-- needs: marts.dim_customer_history(user_id, valid_from, valid_to, is_current)
WITH versions AS (
    SELECT user_id, valid_from, valid_to, is_current, lead(valid_from) OVER (PARTITION BY user_id ORDER BY valid_from, valid_to) AS next_from
    FROM marts.dim_customer_history
)
SELECT user_id, valid_from, valid_to,
       CASE WHEN valid_to <= valid_from THEN 'ends before it begins'
            WHEN next_from > valid_to THEN 'a gap follows'
            WHEN next_from < coalesce(valid_to, 'infinity') THEN 'the next one overlaps'
            WHEN next_from IS NULL AND valid_to IS NOT NULL THEN 'no current version'
            ELSE 'is_current does not fit valid_to' END AS problem
FROM versions
WHERE valid_from IS NULL OR valid_to <= valid_from OR next_from IS DISTINCT FROM valid_to OR is_current IS DISTINCT FROM (valid_to IS NULL)
ORDER BY user_id, valid_from
