SELECT user_id, name, email, city, country, registered_at, profile_at
FROM warehouse.dim_user
ORDER BY user_id COLLATE "C"
