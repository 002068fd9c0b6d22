SELECT user_id, changed_at, kind, name, email, city, country
FROM warehouse.user_changes
ORDER BY length(user_id), user_id COLLATE "C", changed_at, kind COLLATE "C"
