SELECT
    user_id, (row_number() OVER chain)::INTEGER AS version, name, city, country, moment AS valid_from,
    lead(moment) OVER chain AS valid_to, lead(moment) OVER chain IS NULL AS is_current
FROM profiles
WINDOW chain AS (PARTITION BY user_id ORDER BY moment)
