-- The dimension shows the newest profile by event time, whatever order the changes arrive in.
UPDATE warehouse.dim_user u
SET name = coalesce(n.name, u.name), email = coalesce(n.email, u.email), city = coalesce(n.city, u.city),
    country = coalesce(n.country, u.country), profile_at = n.changed_at,
    registered_at = coalesce(u.registered_at, CASE WHEN n.kind = 'user_registered' THEN n.changed_at END)
FROM (
    SELECT DISTINCT ON (c.user_id) c.*
    FROM warehouse.user_changes c
    WHERE c.user_id = ANY(%(user_ids)s::bigint[])
    ORDER BY c.user_id, c.changed_at DESC, c.kind DESC
) n
WHERE u.user_id = n.user_id AND (u.profile_at IS NULL OR u.profile_at <= n.changed_at)
