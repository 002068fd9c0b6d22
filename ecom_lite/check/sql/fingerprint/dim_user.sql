-- Shorter ids first: numbers in the order of their size.
SELECT user_id, name, email, city, country, registered_at, profile_at
FROM warehouse.dim_user
ORDER BY length(user_id), user_id COLLATE "C"
