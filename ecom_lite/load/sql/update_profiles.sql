-- The dimension shows the newest known value of each field by event time, whatever order the changes arrive in.
-- The rows are locked by lock_users.
UPDATE warehouse.dim_user u
SET name = n.name, email = n.email, city = n.city, country = n.country, profile_at = n.profile_at, registered_at = n.registered_at
FROM (
    SELECT c.user_id, max(c.changed_at) AS profile_at, min(c.changed_at) FILTER (WHERE c.kind = 'user_registered') AS registered_at,
           (array_agg(c.name ORDER BY c.changed_at DESC, c.kind DESC) FILTER (WHERE c.name IS NOT NULL))[1] AS name,
           (array_agg(c.email ORDER BY c.changed_at DESC, c.kind DESC) FILTER (WHERE c.email IS NOT NULL))[1] AS email,
           (array_agg(c.city ORDER BY c.changed_at DESC, c.kind DESC) FILTER (WHERE c.city IS NOT NULL))[1] AS city,
           (array_agg(c.country ORDER BY c.changed_at DESC, c.kind DESC) FILTER (WHERE c.country IS NOT NULL))[1] AS country
    FROM warehouse.user_changes c
    WHERE c.user_id = ANY(%(user_ids)s::text[])
    GROUP BY c.user_id
) n
WHERE u.user_id = n.user_id
  AND (u.name, u.email, u.city, u.country, u.profile_at, u.registered_at)
      IS DISTINCT FROM (n.name, n.email, n.city, n.country, n.profile_at, n.registered_at)
